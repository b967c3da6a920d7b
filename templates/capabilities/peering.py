"""The way to MongoDB: a peering connection with the database's VPC, and the route through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from troposphere import Equals, Not, Parameter, Ref
from troposphere.ec2 import Route, VPCPeeringConnection

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.vpc import name_tag

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.vpc import Vpc

PEERING_ID = "AtlasPeeringId"
"""The parameter that names the connection that Atlas asked for."""
CONNECTED = "DatabaseIsConnected"
"""The condition under which there is a route to Atlas."""


def add_database_peering(template: Template, environment: Environment, vpc: Vpc) -> Ref:
    """Add the route to the database's CIDR and what it needs; return the peering connection's id.

    Atlas asks for its connections itself and accepts none, so its id is a parameter: empty until
    `payments database connect` accepted the request, and then there is a route. With a cluster of your own
    the connection is the stack's. The route back is the owner's to add.
    """
    peering = _atlas_peering(template) if environment.database.kind == "atlas" else None
    connection = peering or _own_peering(template, environment, vpc)
    route = Route(
        "DatabaseRoute",
        RouteTableId=vpc.private_route_table_id,
        DestinationCidrBlock=environment.database.cidr,
        VpcPeeringConnectionId=connection,
    )
    if peering is not None:
        route.resource["Condition"] = CONNECTED
    template.add_resource(route)
    return connection


def _atlas_peering(template: Template) -> Ref:
    """Add the parameter; an empty one means that nobody is connected yet.

    MongoDB Atlas documentation, "Set Up a Network Peering Connection": Atlas requests, the AWS side accepts.
    """
    parameter = Parameter(
        PEERING_ID,
        Type="String",
        Default="",
        AllowedPattern="^(pcx-[0-9a-f]{8}([0-9a-f]{9})?)?$",
        Description="The peering connection that Atlas asked for; payments database connect says it",
    )
    template.add_parameter(parameter)
    template.add_condition(CONNECTED, Not(Equals(Ref(parameter), "")))
    return Ref(parameter)


def _own_peering(template: Template, environment: Environment, vpc: Vpc) -> Ref:
    """Add the connection; in another account its owner accepts through `peer_role_arn`.

    AWS documentation, AWS::EC2::VPCPeeringConnection.
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
    template.add_resource(peering)
    return Ref(peering)
