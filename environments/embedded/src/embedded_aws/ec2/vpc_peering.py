"""EC2's peering connections between two owners: who may accept, what each of them sees, how requests end.

MiniStack lets either side accept, shows no addresses, takes no filters but the status and never refuses.
Here, as on AWS:

* the addresses of the requester are always shown, those of the accepter once it accepted;
* only the accepter accepts or rejects, and only a pending request;
* overlapping addresses, or a VPC that does not exist, end in `failed`, which its requester alone sees;
* what is not accepted in seven days is `expired`.

Source: Amazon VPC peering guide, "VPC peering connection lifecycle"; EC2 API reference,
CreateVpcPeeringConnection and DescribeVpcPeeringConnections.
"""

import contextlib
import copy
import ipaddress
import random
import time
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region

from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import parameter
from embedded_aws.ec2 import calls

_Answer = tuple[int, dict[str, str], bytes]
_Parameters = dict[str, Any]
_Record = dict[str, Any]

PENDING_SECONDS = 7 * 24 * 3600
"""How long a request waits for its answer."""
ENDED = {"rejected", "expired", "deleted", "failed"}


def install() -> None:
    """Answer EC2's calls about peering connections."""
    private.ec2.ACTION_MAP |= {
        "CreateVpcPeeringConnection": _create,
        "AcceptVpcPeeringConnection": _accept,
        "RejectVpcPeeringConnection": _reject,
        "DeleteVpcPeeringConnection": _delete,
        "DescribeVpcPeeringConnections": _describe,
    }


def _create(parameters: _Parameters) -> _Answer:
    ours, theirs = parameter(parameters, "VpcId"), parameter(parameters, "PeerVpcId")
    if not ours or not theirs:
        return calls.refusal("MissingParameter", "VpcId and PeerVpcId are required")
    if not _cidr_of(ours, get_account_id(), get_region()):
        return calls.refusal("InvalidVpcID.NotFound", f"The vpc ID '{ours}' does not exist")
    owner = parameter(parameters, "PeerOwnerId") or get_account_id()
    region = parameter(parameters, "PeerRegion") or get_region()
    identifier = f"pcx-{random.getrandbits(68):017x}"
    record = {
        "VpcPeeringConnectionId": identifier,
        "RequesterVpcInfo": {"VpcId": ours, "OwnerId": get_account_id(), "Region": get_region()},
        "AccepterVpcInfo": {"VpcId": theirs, "OwnerId": owner, "Region": region},
        "Status": _first_status(ours, theirs, owner, region),
        "Expires": time.time() + PENDING_SECONDS,
    }
    for account, its_region in _scopes(record):
        private.ec2.vpc_peering.set_scoped(account, its_region, identifier, copy.deepcopy(record))
    calls.tag(identifier, _tags(parameters))
    return calls.answer("CreateVpcPeeringConnection", _shown(record, "vpcPeeringConnection"))


def _first_status(ours: str, theirs: str, owner: str, region: str) -> dict[str, str]:
    peer = _cidr_of(theirs, owner, region)
    if not peer:
        return _status("failed", f"Failed: the VPC {theirs} of account {owner} does not exist")
    own = ipaddress.ip_network(_cidr_of(ours, get_account_id(), get_region()))
    if own.overlaps(ipaddress.ip_network(peer)):
        return _status("failed", "Failed: the CIDR blocks of the two VPCs overlap")
    return _status("pending-acceptance", f"Pending Acceptance by {owner}")


def _accept(parameters: _Parameters) -> _Answer:
    return _decided(parameters, "AcceptVpcPeeringConnection", "accept", _status("active", "Active"))


def _reject(parameters: _Parameters) -> _Answer:
    return _decided(parameters, "RejectVpcPeeringConnection", "reject", _status("rejected", "Inactive"))


def _decided(parameters: _Parameters, action: str, verb: str, status: dict[str, str]) -> _Answer:
    record = _of_this_account(parameter(parameters, "VpcPeeringConnectionId"))
    if record is None:
        return _missing(parameter(parameters, "VpcPeeringConnectionId"))
    identifier, account = record["VpcPeeringConnectionId"], get_account_id()
    if record["AccepterVpcInfo"]["OwnerId"] != account:
        return calls.refusal("OperationNotPermitted", f"User {account} cannot {verb} peering {identifier}")
    if record["Status"]["Code"] != "pending-acceptance":
        return _no_transition(record, verb)
    _set_status(record, status["Code"], status["Message"])
    inner = "<return>true</return>" if verb == "reject" else _shown(record, "vpcPeeringConnection")
    return calls.answer(action, inner)


def _delete(parameters: _Parameters) -> _Answer:
    record = _of_this_account(parameter(parameters, "VpcPeeringConnectionId"))
    if record is None:
        return _missing(parameter(parameters, "VpcPeeringConnectionId"))
    if record["Status"]["Code"] in ENDED:
        return _no_transition(record, "delete")
    _set_status(record, "deleted", f"Deleted by {get_account_id()}")
    return calls.answer("DeleteVpcPeeringConnection", "<return>true</return>")


def _describe(parameters: _Parameters) -> _Answer:
    wanted = calls.numbered(parameters, "VpcPeeringConnectionId")
    for identifier in wanted:
        if _of_this_account(identifier) is None:
            return _missing(identifier)
    filters = calls.filters(parameters)
    items = "".join(
        _shown(record, "item")
        for record in map(_aged, private.ec2.vpc_peering.values())
        if _visible(record)
        and (not wanted or record["VpcPeeringConnectionId"] in wanted)
        and _matches(record, filters)
    )
    inner = f"<vpcPeeringConnectionSet>{items}</vpcPeeringConnectionSet>"
    return calls.answer("DescribeVpcPeeringConnections", inner)


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
    tags = calls.tags(record["VpcPeeringConnectionId"])
    values |= {f"tag:{key}": value for key, value in tags.items()}
    known = {*values, *(name for name in filters if name.startswith("tag:"))}
    return all(values.get(name) in wanted for name, wanted in filters.items() if name in known)


def _of_this_account(identifier: str) -> _Record | None:
    record = private.ec2.vpc_peering.get(identifier)
    return _aged(record) if record is not None and _visible(record) else None


def _visible(record: _Record) -> bool:
    by_us = record["RequesterVpcInfo"]["OwnerId"] == get_account_id()
    return bool(by_us or record["Status"]["Code"] != "failed")


def _aged(record: _Record) -> _Record:
    pending = record["Status"]["Code"] == "pending-acceptance"
    if pending and time.time() >= record.get("Expires", float("inf")):
        _set_status(record, "expired", "Expired")
    return record


def _status(code: str, message: str) -> dict[str, str]:
    return {"Code": code, "Message": message}


def _cidr(side: dict[str, str]) -> str:
    return _cidr_of(side["VpcId"], side["OwnerId"], side["Region"])


def _cidr_of(vpc: str, owner: str, region: str) -> str:
    """Return a VPC's addresses; nothing if there is no such VPC."""
    with calls.acting_as(owner, region), contextlib.suppress(ValueError):
        return calls.call("DescribeVpcs", VpcId=[vpc]).findtext(".//item/cidrBlock") or ""
    return ""


def _scopes(record: _Record) -> set[tuple[str, str]]:
    sides = (record["RequesterVpcInfo"], record["AccepterVpcInfo"])
    return {(side["OwnerId"], side["Region"]) for side in sides}


def _set_status(record: _Record, code: str, message: str) -> None:
    """Say it in the record of either side."""
    for account, region in _scopes(record):
        its_record = private.ec2.vpc_peering.get_scoped(account, region, record["VpcPeeringConnectionId"])
        if its_record is not None:
            its_record["Status"] = _status(code, message)


def _tags(parameters: _Parameters) -> list[dict[str, str]]:
    prefix, tags = "TagSpecification.1.Tag", list[dict[str, str]]()
    while key := parameter(parameters, f"{prefix}.{len(tags) + 1}.Key"):
        tags.append({"Key": key, "Value": parameter(parameters, f"{prefix}.{len(tags) + 1}.Value")})
    return tags


def _shown(record: _Record, tag: str) -> str:
    state = record["Status"]["Code"]
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(record.get("Expires", 0)))
    expires = f"<expirationTime>{moment}</expirationTime>" if state == "pending-acceptance" else ""
    return (
        f"<{tag}><vpcPeeringConnectionId>{record['VpcPeeringConnectionId']}</vpcPeeringConnectionId>"
        f"<requesterVpcInfo>{_side(record['RequesterVpcInfo'], cidr=True)}</requesterVpcInfo>"
        f"<accepterVpcInfo>{_side(record['AccepterVpcInfo'], cidr=state == 'active')}</accepterVpcInfo>"
        f"<status><code>{state}</code><message>{record['Status']['Message']}</message></status>{expires}"
        f"<tagSet>{_tag_items(record['VpcPeeringConnectionId'])}</tagSet></{tag}>"
    )


def _tag_items(identifier: str) -> str:
    return "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>"
        for key, value in calls.tags(identifier).items()
    )


def _side(side: dict[str, str], *, cidr: bool) -> str:
    block = _cidr(side) if cidr else ""
    shown = f"<cidrBlock>{block}</cidrBlock>"
    addresses = f"{shown}<cidrBlockSet><item>{shown}</item></cidrBlockSet>" if block else ""
    ids = f"<vpcId>{side['VpcId']}</vpcId><ownerId>{side['OwnerId']}</ownerId>"
    return f"{ids}<region>{side['Region']}</region>{addresses}"


def _no_transition(record: _Record, verb: str) -> _Answer:
    identifier, state = record["VpcPeeringConnectionId"], record["Status"]["Code"]
    message = f"Invalid state transition for {identifier}, attempted to {verb} what is {state}"
    return calls.refusal("InvalidStateTransition", message)


def _missing(identifier: str) -> _Answer:
    message = f"The vpcPeeringConnection ID '{identifier}' does not exist"
    return calls.refusal("InvalidVpcPeeringConnectionID.NotFound", message)
