"""The way to MongoDB: a peering connection with the database's VPC, and the route through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from troposphere import Ref
from troposphere.ec2 import Route, VPCPeeringConnection

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.vpc import name_tag

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.vpc import Vpc


def add_database_peering(template: Template, environment: Environment, vpc: Vpc) -> Ref:
    """Add the peering connection and the route to the database's CIDR; return the connection's id.

    Where the database's VPC belongs to another account, its owner accepts through `peer_role_arn`
    (AWS documentation, AWS::EC2::VPCPeeringConnection). The route back is the owner's to add.
    """
    database = environment.database
    role: dict[str, Any] = {} if database.peer_role_arn is None else {"PeerRoleArn": database.peer_role_arn}
    peering = VPCPeeringConnection(
        "DatabasePeering",
        VpcId=vpc.vpc_id,
        PeerVpcId=database.vpc_id,
        PeerOwnerId=database.owner_account,
        PeerRegion=database.region,
        Tags=[name_tag("database")],
        Metadata=excepted(Except("E9009", "The database's account, region and role are not this stack's.")),
        **role,
    )
    route = Route(
        "DatabaseRoute",
        RouteTableId=vpc.private_route_table_id,
        DestinationCidrBlock=database.cidr,
        VpcPeeringConnectionId=Ref(peering),
    )
    template.add_resource(peering)
    template.add_resource(route)
    return Ref(peering)
