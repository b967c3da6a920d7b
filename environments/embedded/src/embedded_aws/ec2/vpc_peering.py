"""EC2's peering connections between two owners: who may accept, what each of them sees, how requests end.

MiniStack lets either side accept, shows no addresses, takes no filters but the status and never refuses.
Here, as on AWS:

* the addresses of the requester are always shown, those of the accepter once it accepted;
* only the accepter accepts or rejects, and only a pending request;
* overlapping addresses, or a VPC that does not exist, end in `failed`, which its requester alone sees;
* what is not accepted in seven days is `expired`.

Source: Amazon VPC peering guide, "VPC peering connection lifecycle"; EC2 API reference,
CreateVpcPeeringConnection and DescribeVpcPeeringConnections. Private names of MiniStack that it touches:
`ec2._ACTION_MAP`, `ec2._vpcs`, `ec2._vpc_peering` and what reads and writes its records.
"""

import ipaddress
import random
import time
from typing import Any

from ministack.services import ec2

_Answer = tuple[int, dict[str, str], bytes]
_Parameters = dict[str, Any]
_Record = dict[str, Any]

PENDING_SECONDS = 7 * 24 * 3600
"""How long a request waits for its answer."""
ENDED = {"rejected", "expired", "deleted", "failed"}


def install() -> None:
    """Answer EC2's calls about peering connections."""
    ec2._ACTION_MAP |= {
        "CreateVpcPeeringConnection": _create,
        "AcceptVpcPeeringConnection": _accept,
        "RejectVpcPeeringConnection": _reject,
        "DeleteVpcPeeringConnection": _delete,
        "DescribeVpcPeeringConnections": _describe,
    }


def _create(parameters: _Parameters) -> _Answer:
    ours, theirs = ec2._p(parameters, "VpcId"), ec2._p(parameters, "PeerVpcId")
    if not ours or not theirs:
        return _refused("MissingParameter", "VpcId and PeerVpcId are required")
    if ours not in ec2._vpcs:
        return _refused("InvalidVpcID.NotFound", f"The vpc ID '{ours}' does not exist")
    owner = ec2._p(parameters, "PeerOwnerId") or ec2.get_account_id()
    region = ec2._p(parameters, "PeerRegion") or ec2.get_region()
    identifier = f"pcx-{random.getrandbits(68):017x}"
    record = {
        "VpcPeeringConnectionId": identifier,
        "RequesterVpcInfo": {"VpcId": ours, "OwnerId": ec2.get_account_id(), "Region": ec2.get_region()},
        "AccepterVpcInfo": {"VpcId": theirs, "OwnerId": owner, "Region": region},
        "Status": _first_status(ours, theirs, owner, region),
        "Expires": time.time() + PENDING_SECONDS,
    }
    ec2._put_vpc_peering_record(record)
    ec2._parse_tag_specs(parameters, "vpc-peering-connection", identifier)
    return _answer("CreateVpcPeeringConnection", _shown(record, "vpcPeeringConnection"))


def _first_status(ours: str, theirs: str, owner: str, region: str) -> dict[str, str]:
    peer = ec2._vpcs.get_scoped(owner, region, theirs)
    if peer is None:
        return _status("failed", f"Failed: the VPC {theirs} of account {owner} does not exist")
    own = ipaddress.ip_network(ec2._vpcs[ours]["CidrBlock"])
    if own.overlaps(ipaddress.ip_network(peer["CidrBlock"])):
        return _status("failed", "Failed: the CIDR blocks of the two VPCs overlap")
    return _status("pending-acceptance", f"Pending Acceptance by {owner}")


def _accept(parameters: _Parameters) -> _Answer:
    return _decided(parameters, "AcceptVpcPeeringConnection", "accept", _status("active", "Active"))


def _reject(parameters: _Parameters) -> _Answer:
    return _decided(parameters, "RejectVpcPeeringConnection", "reject", _status("rejected", "Inactive"))


def _decided(parameters: _Parameters, action: str, verb: str, status: dict[str, str]) -> _Answer:
    record = _of_this_account(ec2._p(parameters, "VpcPeeringConnectionId"))
    if record is None:
        return _missing(ec2._p(parameters, "VpcPeeringConnectionId"))
    identifier, account = record["VpcPeeringConnectionId"], ec2.get_account_id()
    if record["AccepterVpcInfo"]["OwnerId"] != account:
        return _refused("OperationNotPermitted", f"User {account} cannot {verb} peering {identifier}")
    if record["Status"]["Code"] != "pending-acceptance":
        return _no_transition(record, verb)
    ec2._set_vpc_peering_status(record, status["Code"], status["Message"])
    inner = "<return>true</return>" if verb == "reject" else _shown(record, "vpcPeeringConnection")
    return _answer(action, inner)


def _delete(parameters: _Parameters) -> _Answer:
    record = _of_this_account(ec2._p(parameters, "VpcPeeringConnectionId"))
    if record is None:
        return _missing(ec2._p(parameters, "VpcPeeringConnectionId"))
    if record["Status"]["Code"] in ENDED:
        return _no_transition(record, "delete")
    ec2._set_vpc_peering_status(record, "deleted", f"Deleted by {ec2.get_account_id()}")
    return _answer("DeleteVpcPeeringConnection", "<return>true</return>")


def _describe(parameters: _Parameters) -> _Answer:
    wanted = ec2._parse_member_list(parameters, "VpcPeeringConnectionId")
    for identifier in wanted:
        if _of_this_account(identifier) is None:
            return _missing(identifier)
    filters = ec2._parse_filters(parameters)
    items = "".join(
        _shown(record, "item")
        for record in map(_aged, ec2._vpc_peering.values())
        if _visible(record)
        and (not wanted or record["VpcPeeringConnectionId"] in wanted)
        and _matches(record, filters)
    )
    inner = f"<vpcPeeringConnectionSet>{items}</vpcPeeringConnectionSet>"
    return _answer("DescribeVpcPeeringConnections", inner)


def _matches(record: _Record, filters: dict[str, list[str]]) -> bool:
    values = {
        "status-code": record["Status"]["Code"],
        "vpc-peering-connection-id": record["VpcPeeringConnectionId"],
    }
    for side, key in (("requester", "RequesterVpcInfo"), ("accepter", "AccepterVpcInfo")):
        values |= {
            f"{side}-vpc-info.vpc-id": record[key]["VpcId"],
            f"{side}-vpc-info.owner-id": record[key]["OwnerId"],
            f"{side}-vpc-info.cidr-block": _cidr(record[key]),
        }
    if not ec2._resource_matches_tag_filters(record["VpcPeeringConnectionId"], filters):
        return False
    return all(values[name] in wanted for name, wanted in filters.items() if name in values)


def _of_this_account(identifier: str) -> _Record | None:
    record = ec2._vpc_peering.get(identifier)
    return _aged(record) if record is not None and _visible(record) else None


def _visible(record: _Record) -> bool:
    by_us = record["RequesterVpcInfo"]["OwnerId"] == ec2.get_account_id()
    return bool(by_us or record["Status"]["Code"] != "failed")


def _aged(record: _Record) -> _Record:
    pending = record["Status"]["Code"] == "pending-acceptance"
    if pending and time.time() >= record.get("Expires", float("inf")):
        ec2._set_vpc_peering_status(record, "expired", "Expired")
    return record


def _status(code: str, message: str) -> dict[str, str]:
    return {"Code": code, "Message": message}


def _cidr(side: dict[str, str]) -> str:
    vpc = ec2._vpcs.get_scoped(side["OwnerId"], side["Region"], side["VpcId"])
    return "" if vpc is None else str(vpc["CidrBlock"])


def _shown(record: _Record, tag: str) -> str:
    state = record["Status"]["Code"]
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(record.get("Expires", 0)))
    expires = f"<expirationTime>{moment}</expirationTime>" if state == "pending-acceptance" else ""
    return (
        f"<{tag}><vpcPeeringConnectionId>{record['VpcPeeringConnectionId']}</vpcPeeringConnectionId>"
        f"<requesterVpcInfo>{_side(record['RequesterVpcInfo'], cidr=True)}</requesterVpcInfo>"
        f"<accepterVpcInfo>{_side(record['AccepterVpcInfo'], cidr=state == 'active')}</accepterVpcInfo>"
        f"<status><code>{state}</code><message>{record['Status']['Message']}</message></status>{expires}"
        f"{ec2._tag_set_xml(record['VpcPeeringConnectionId'])}</{tag}>"
    )


def _side(side: dict[str, str], *, cidr: bool) -> str:
    block = _cidr(side) if cidr else ""
    shown = f"<cidrBlock>{block}</cidrBlock>"
    addresses = f"{shown}<cidrBlockSet><item>{shown}</item></cidrBlockSet>" if block else ""
    ids = f"<vpcId>{side['VpcId']}</vpcId><ownerId>{side['OwnerId']}</ownerId>"
    return f"{ids}<region>{side['Region']}</region>{addresses}"


def _answer(action: str, inner: str) -> _Answer:
    answer: _Answer = ec2._xml(200, f"{action}Response", inner)
    return answer


def _refused(code: str, message: str) -> _Answer:
    answer: _Answer = ec2._error(code, message, 400)
    return answer


def _no_transition(record: _Record, verb: str) -> _Answer:
    identifier, state = record["VpcPeeringConnectionId"], record["Status"]["Code"]
    message = f"Invalid state transition for {identifier}, attempted to {verb} what is {state}"
    return _refused("InvalidStateTransition", message)


def _missing(identifier: str) -> _Answer:
    message = f"The vpcPeeringConnection ID '{identifier}' does not exist"
    return _refused("InvalidVpcPeeringConnectionID.NotFound", message)
