"""Network types: a peering connection that really connects, flow logs, NAT gateways, security group rules.

Security group rules stand beside their group, so that two groups may name each other. NAT gateways and their
addresses exist and lead nowhere here.
"""

import contextlib
import ipaddress
from collections.abc import Callable
from typing import Any

from ministack.core.iam_evaluator import validate_role_arn
from ministack.core.responses import get_account_id, get_region

from embedded_aws.core import type_table
from embedded_aws.ec2 import calls

_Made = tuple[str, dict[str, Any]]
_Properties = dict[str, Any]


def install() -> None:
    """Give a VPC the attributes that MiniStack's has not."""
    vpc = type_table.stock_handlers("AWS::EC2::VPC")
    for operation in ("create", "update"):
        vpc[operation] = _with_vpc_attributes(vpc[operation])


def _with_vpc_attributes(stock: Callable[..., _Made]) -> Callable[..., _Made]:
    def made(*arguments: Any) -> _Made:
        vpc_id, attributes = stock(*arguments)
        return vpc_id, {**attributes, "CidrBlock": _cidr(vpc_id)}

    return made


def _create_peering(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    """Request the connection and accept it on the other side, as CloudFormation does; it ends `active`."""
    owner = str(properties.get("PeerOwnerId") or get_account_id())
    region = properties.get("PeerRegion") or get_region()
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
    ours = _cidr(properties["VpcId"])
    with calls.acting_as(owner, region):
        theirs = _cidr(properties["PeerVpcId"])
    if owner != get_account_id():
        role = properties.get("PeerRoleArn")
        if not role:
            raise ValueError("PeerRoleArn is required to peer with a VPC of another account")
        with calls.acting_as(owner, region):
            if problem := validate_role_arn(role):
                raise ValueError(problem)
    if ipaddress.ip_network(ours).overlaps(ipaddress.ip_network(theirs)):
        raise ValueError("VpcPeeringConnection failed: the CIDR blocks of the two VPCs overlap")


def _cidr(vpc: str) -> str:
    return calls.call("DescribeVpcs", VpcId=[vpc]).findtext(".//item/cidrBlock") or ""


def _delete_peering(connection: str, _properties: _Properties) -> None:
    with contextlib.suppress(ValueError):  # it has ended already, in whichever way
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
    allocated = calls.call("DescribeAddresses").iter("item")
    for allocation in [a.findtext("allocationId") for a in allocated if a.findtext("publicIp") == address]:
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
    with contextlib.suppress(ValueError):  # it is gone already
        calls.call("DeleteNatGateway", NatGatewayId=gateway)


def _replaced(create: Callable[..., _Made]) -> Callable[..., _Made]:
    """Update by replacement."""

    def update(_physical_id: str, _old: _Properties, new: _Properties, stack: str) -> _Made:
        return create("", new, stack)

    return update


def _rule(properties: _Properties, group_key: str, list_key: str) -> _Properties:
    """Translate a template's rule to EC2's permission; the other side's keys depend on the direction."""
    described = {"Description": properties["Description"]} if properties.get("Description") else {}
    rule: _Properties = {
        key: properties[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in properties
    }
    if "CidrIp" in properties:
        rule["IpRanges"] = [{"CidrIp": properties["CidrIp"], **described}]
    if "CidrIpv6" in properties:
        rule["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"], **described}]
    if list_key in properties:
        rule["PrefixListIds"] = [{"PrefixListId": properties[list_key], **described}]
    if group_key in properties:
        rule["Groups"] = [{"GroupId": properties[group_key], **described}]
    return rule


def _rule_type(direction: str, side: str) -> dict[str, Any]:
    """Build the handlers of SecurityGroupIngress (side Source) or SecurityGroupEgress (side Destination)."""
    keys = (f"{side}SecurityGroupId", f"{side}PrefixListId")

    def create(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
        group = properties["GroupId"]
        if direction == "Egress":
            _drop_default_egress(group)
        made = calls.call(
            f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=[_rule(properties, *keys)]
        )
        rule = made.findtext(".//securityGroupRuleId") or ""
        return rule, {"Id": rule}

    def update(_rule: str, old: _Properties, new: _Properties, stack: str) -> _Made:
        if {**old, "Description": None} == {**new, "Description": None}:
            delete(_rule, old)  # only the description changed: the rule stays itself
        return create("", new, stack)

    def delete(rule: str, properties: _Properties) -> None:
        with contextlib.suppress(ValueError):  # the group is gone already
            calls.call(
                f"RevokeSecurityGroup{direction}", GroupId=properties["GroupId"], SecurityGroupRuleId=[rule]
            )

    return {"create": create, "update": update, "delete": delete}


def _drop_default_egress(group: str) -> None:
    """A group's own allow-all goes when its first egress rule comes, says the template reference."""
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    with contextlib.suppress(ValueError):  # it went when an earlier rule came
        calls.call("RevokeSecurityGroupEgress", GroupId=group, IpPermissions=[everything])


TYPES: dict[str, dict[str, Any]] = {
    "AWS::EC2::VPCPeeringConnection": {
        "create": _create_peering,
        "update": _replaced_unless_tags(_create_peering),
        "delete": _delete_peering,
    },
    "AWS::EC2::FlowLog": {
        "create": _create_flow_log,
        "update": _replaced_unless_tags(_create_flow_log),
        "delete": lambda flow_log, _: calls.call("DeleteFlowLogs", FlowLogId=[flow_log]),
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
    "AWS::EC2::SecurityGroupIngress": _rule_type("Ingress", "Source"),
    "AWS::EC2::SecurityGroupEgress": _rule_type("Egress", "Destination"),
}
