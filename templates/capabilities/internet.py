"""The way out to the internet, only where the payment method needs one: a NAT gateway in a public subnet.

Private subnets stay private: nothing can come in, and security groups let only the functions that pay go
out. There is one gateway, in the first zone: while that zone is down payments wait, and are asked again.
Amazon VPC user guide, "NAT gateways".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import GetAtt, Ref, Tags
from troposphere.ec2 import (
    EIP,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    SubnetRouteTableAssociation,
    VPCGatewayAttachment,
)

from templates.capabilities.lint_exceptions import excepted
from templates.capabilities.vpc import NAMED_ZONE, name_tag

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.vpc import Vpc

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
