"""The environment's VPC: private subnets in two zones, flow logs, and the way out where payments need one.

Private subnets stay private: nothing can come in, and security groups let only the functions that pay go
out. The way out is a NAT gateway in a public subnet. There is one, in the first zone: while that zone is down
payments wait, and are asked again. Amazon VPC user guide, "NAT gateways".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import logs
from troposphere import GetAtt, Ref, Sub, Tag, Tags
from troposphere.ec2 import (
    EIP,
    VPC,
    FlowLog,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    SubnetRouteTableAssociation,
    VPCGatewayAttachment,
)

from templates.capabilities.encryption_key import add_log_group
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import Permission, add_role

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment
    from templates.capabilities.encryption_key import Logs

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

    There is no internet gateway and no NAT here (`add_internet_access` adds them where a payment method needs
    them): functions talk to the data API through an interface endpoint, and the data API to MongoDB through
    the peering. DNS is on, because the endpoint's private name needs it.
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


EVERYWHERE = "0.0.0.0/0"


def add_internet_access(template: Template, environment: Environment, vpc: Vpc) -> None:
    """Let the private subnets reach the internet through a NAT gateway, if the environment needs it."""
    if environment.network.public_subnet_cidr is None:
        return
    attachment = _add_gateway(template, vpc)
    subnet, route = _add_public_subnet(template, environment, vpc, attachment)
    address = EIP("NatAddress", Domain="vpc", DependsOn=attachment.title, Tags=Tags(name_tag("nat")))
    nat = NatGateway(
        "NatGateway",
        AllocationId=GetAtt(address, "AllocationId"),
        SubnetId=Ref(subnet),
        DependsOn=route.title,
        Tags=[name_tag("nat")],
    )
    out = Route(
        "InternetRoute",
        RouteTableId=vpc.private_route_table_id,
        DestinationCidrBlock=EVERYWHERE,
        NatGatewayId=Ref(nat),
    )
    for part in (address, nat, out):
        template.add_resource(part)


def _add_gateway(template: Template, vpc: Vpc) -> VPCGatewayAttachment:
    gateway = InternetGateway("InternetGateway", Tags=[name_tag("internet")])
    attachment = VPCGatewayAttachment(
        "InternetGatewayAttachment", VpcId=vpc.vpc_id, InternetGatewayId=Ref(gateway)
    )
    template.add_resource(gateway)
    template.add_resource(attachment)
    return attachment


def _add_public_subnet(
    template: Template, environment: Environment, vpc: Vpc, attachment: VPCGatewayAttachment
) -> tuple[Subnet, Route]:
    routes = RouteTable("PublicRoutes", VpcId=vpc.vpc_id, Tags=[name_tag("public")])
    route = Route(
        "PublicInternetRoute",
        RouteTableId=Ref(routes),
        DestinationCidrBlock=EVERYWHERE,
        GatewayId=attachment.InternetGatewayId,
        DependsOn=attachment.title,
    )
    subnet = Subnet(
        "PublicSubnet",
        VpcId=vpc.vpc_id,
        CidrBlock=environment.network.public_subnet_cidr,
        AvailabilityZone=environment.network.zones[0],
        MapPublicIpOnLaunch=False,
        Tags=[name_tag("public")],
        Metadata=excepted(NAMED_ZONE),
    )
    association = SubnetRouteTableAssociation(
        "PublicSubnetRoutes", SubnetId=Ref(subnet), RouteTableId=Ref(routes)
    )
    for part in (routes, route, subnet, association):
        template.add_resource(part)
    return subnet, route
