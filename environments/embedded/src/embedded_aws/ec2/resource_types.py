"""Network types: a peering connection that really connects, flow logs, NAT gateways and their addresses.

NAT gateways and addresses exist and lead nowhere here.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from ministack.core.iam_evaluator import validate_role_arn
from ministack.services import ec2

from embedded_aws.core import type_table
from embedded_aws.ec2 import calls, security_groups, vpc_peering

_Made = tuple[str, dict[str, Any]]
_Properties = dict[str, Any]


def install() -> None:
    """Add the types, and give a VPC the attributes that MiniStack's has not."""
    type_table.add(TYPES)
    vpc = type_table.stock_handlers("AWS::EC2::VPC")
    for operation in ("create", "update"):
        vpc[operation] = _with_vpc_attributes(vpc[operation])


def _with_vpc_attributes(stock: Callable[..., _Made]) -> Callable[..., _Made]:
    def made(*arguments: Any) -> _Made:
        vpc_id, attributes = stock(*arguments)
        return vpc_id, {**attributes, "CidrBlock": ec2._vpcs[vpc_id]["CidrBlock"]}

    return made


def _create_peering(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    """Request the connection and accept it on the other side, as CloudFormation does; it ends `active`."""
    owner = str(properties.get("PeerOwnerId") or ec2.get_account_id())
    region = properties.get("PeerRegion") or ec2.get_region()
    _check_peering(properties, owner, region)
    created = calls.call(
        "CreateVpcPeeringConnection",
        VpcId=properties["VpcId"],
        PeerVpcId=properties["PeerVpcId"],
        PeerOwnerId=owner,
        PeerRegion=region,
        **calls.tag_specification("vpc-peering-connection", properties),
    )
    connection = created.findtext(".//vpcPeeringConnectionId") or ""
    with calls.acting_as(owner, region):
        calls.call("AcceptVpcPeeringConnection", VpcPeeringConnectionId=connection)
    return connection, {"Id": connection}


def _check_peering(properties: _Properties, owner: str, region: str) -> None:
    ours = ec2._vpcs.get(properties["VpcId"])
    theirs = ec2._vpcs.get_scoped(owner, region, properties["PeerVpcId"])
    for vpc, vpc_id in ((ours, properties["VpcId"]), (theirs, properties["PeerVpcId"])):
        if vpc is None:
            raise ValueError(f"The vpc ID '{vpc_id}' does not exist (InvalidVpcID.NotFound)")
    if owner != ec2.get_account_id():
        role = properties.get("PeerRoleArn")
        if not role:
            raise ValueError("PeerRoleArn is required to peer with a VPC of another account")
        with calls.acting_as(owner, region):
            if problem := validate_role_arn(role):
                raise ValueError(problem)
    if ipaddress.ip_network(ours["CidrBlock"]).overlaps(ipaddress.ip_network(theirs["CidrBlock"])):
        raise ValueError("VpcPeeringConnection failed: the CIDR blocks of the two VPCs overlap")


def _delete_peering(connection: str, _properties: _Properties) -> None:
    record = ec2._vpc_peering.get(connection)
    if record is not None and record["Status"]["Code"] not in vpc_peering.ENDED:
        calls.call("DeleteVpcPeeringConnection", VpcPeeringConnectionId=connection)


def _create_flow_log(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    if (role := properties.get("DeliverLogsPermissionArn")) and (problem := validate_role_arn(role)):
        raise ValueError(problem)
    named = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    created = calls.call(
        "CreateFlowLogs",
        ResourceId=[properties["ResourceId"]],
        **{key: properties[key] for key in named if key in properties},
        **calls.tag_specification("vpc-flow-log", properties),
    )
    flow_log = created.findtext(".//flowLogIdSet/item") or ""
    return flow_log, {"Id": flow_log}


def _replaced_unless_tags(create: Callable[..., _Made]) -> Callable[..., _Made]:
    """Update tags in place, and anything else by replacement."""

    def update(physical_id: str, old: _Properties, new: _Properties, stack: str) -> _Made:
        if {**old, "Tags": None} == {**new, "Tags": None}:
            calls.retag(physical_id, new)
            return physical_id, {"Id": physical_id}
        return create("", new, stack)

    return update


def _create_address(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    made = calls.call("AllocateAddress", Domain="vpc", **calls.tag_specification("elastic-ip", properties))
    allocation = made.findtext("allocationId") or ""
    address = made.findtext("publicIp") or ""
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_address(address: str, _properties: _Properties) -> None:
    for allocation, record in list(ec2._addresses.items()):
        if record["PublicIp"] == address:
            calls.call("ReleaseAddress", AllocationId=allocation)


def _create_nat_gateway(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    made = calls.call(
        "CreateNatGateway",
        SubnetId=properties["SubnetId"],
        AllocationId=properties["AllocationId"],
        **calls.tag_specification("natgateway", properties),
    )
    gateway = made.findtext(".//natGatewayId") or ""
    return gateway, {"NatGatewayId": gateway}


def _delete_nat_gateway(gateway: str, _properties: _Properties) -> None:
    if gateway in ec2._nat_gateways:
        calls.call("DeleteNatGateway", NatGatewayId=gateway)


def _replaced(create: Callable[..., _Made]) -> Callable[..., _Made]:
    """Update by replacement."""

    def update(_physical_id: str, _old: _Properties, new: _Properties, stack: str) -> _Made:
        return create("", new, stack)

    return update


TYPES: dict[str, dict[str, Any]] = {
    "AWS::EC2::VPCPeeringConnection": {
        "create": _create_peering,
        "update": _replaced_unless_tags(_create_peering),
        "delete": _delete_peering,
    },
    "AWS::EC2::FlowLog": {
        "create": _create_flow_log,
        "update": _replaced_unless_tags(_create_flow_log),
        "delete": lambda flow_log, _: ec2._flow_logs.pop(flow_log, None),
    },
    "AWS::EC2::EIP": {
        "create": _create_address,
        "update": _replaced(_create_address),
        "delete": _delete_address,
    },
    "AWS::EC2::NatGateway": {
        "create": _create_nat_gateway,
        "update": _replaced(_create_nat_gateway),
        "delete": _delete_nat_gateway,
    },
    **security_groups.TYPES,
}
