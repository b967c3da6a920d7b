"""The environment's VPC: private subnets in two zones, flow logs, and by itself no way to the internet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import logs
from troposphere import Ref, Sub, Tag
from troposphere.ec2 import VPC, FlowLog, RouteTable, Subnet, SubnetRouteTableAssociation

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.log_groups import add_log_group
from templates.capabilities.permissions import Permission, add_role

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment
    from templates.capabilities.log_groups import Logs

_REASON = "The environment's file names it: Fn::GetAZs may change its order, and a subnet cannot move."
NAMED_ZONE = Except("W3010", _REASON)


@dataclass(frozen=True, slots=True)
class Vpc:
    """What others may use of the VPC."""

    vpc_id: Ref
    private_subnet_ids: tuple[Ref, ...]
    private_route_table_id: Ref


def add_vpc(template: Template, environment: Environment) -> Vpc:
    """Add the VPC, its private subnets and their one route table.

    There is no internet gateway and no NAT here (`internet.py` adds them where a payment method needs them):
    functions talk to the data API through an interface
    endpoint, and the data API to MongoDB through the peering. DNS is on, because the endpoint's private
    name needs it.
    """
    vpc = VPC(
        "Vpc",
        CidrBlock=environment.network.vpc_cidr,
        EnableDnsSupport=True,
        EnableDnsHostnames=True,
        Tags=[name_tag("vpc")],
    )
    routes = RouteTable("PrivateRoutes", VpcId=Ref(vpc), Tags=[name_tag("private")])
    template.add_resource(vpc)
    template.add_resource(routes)
    places = zip("AB", environment.network.zones, environment.network.private_subnet_cidrs, strict=True)
    subnets = [_add_private_subnet(template, vpc, routes, place) for place in places]
    return Vpc(vpc_id=Ref(vpc), private_subnet_ids=tuple(subnets), private_route_table_id=Ref(routes))


def name_tag(part: str) -> Tag:
    """Return a Name tag that an operator recognises in the console; names nothing physically."""
    return Tag("Name", Sub(f"${{AWS::StackName}}-{part}"))


def _add_private_subnet(template: Template, vpc: VPC, routes: RouteTable, place: tuple[str, str, str]) -> Ref:
    letter, zone, cidr = place
    subnet = Subnet(
        f"PrivateSubnet{letter}",
        VpcId=Ref(vpc),
        CidrBlock=cidr,
        AvailabilityZone=zone,
        MapPublicIpOnLaunch=False,
        Tags=[name_tag(f"private-{letter.lower()}")],
        Metadata=excepted(NAMED_ZONE),
    )
    association = SubnetRouteTableAssociation(
        f"PrivateSubnet{letter}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(routes)
    )
    template.add_resource(subnet)
    template.add_resource(association)
    return Ref(subnet)


def add_flow_logs(template: Template, environment: Environment, vpc: Vpc, key_arn: AWSHelperFn) -> None:
    """Add a flow log of all traffic to an encrypted log group."""
    group = add_log_group(template, environment, "Flow", key_arn)
    flow_log = FlowLog(
        "FlowLog",
        ResourceId=vpc.vpc_id,
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=group.name,
        DeliverLogsPermissionArn=add_role(
            template, "FlowLog", "vpc-flow-logs.amazonaws.com", _flow_log_permissions(group)
        ),
    )
    template.add_resource(flow_log)


def _flow_log_permissions(group: Logs) -> list[Permission]:
    # Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
    return [
        Permission(
            "Deliver",
            "Writes flow records to its one log group.",
            [logs.CreateLogStream, logs.PutLogEvents, logs.DescribeLogStreams],
            [group.streams_arn],
        ),
        Permission(
            "FindLogGroup",
            "Looks its log group up by name: DescribeLogGroups lists an account's groups, so its resource "
            "is *, as the VPC user guide writes it.",
            [logs.DescribeLogGroups],
            ["*"],
        ),
    ]
