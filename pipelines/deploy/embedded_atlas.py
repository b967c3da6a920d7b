"""Plays Atlas on the embedded AWS: from an account of its own it asks for the peering connection.

On AWS, Atlas does this when it is told `atlas networking peering create aws`; here nobody is there to tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import accounts, stacks
from pipelines.deploy import embedded_overrides
from pipelines.deploy.connect_database import connect

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

    from pipelines.aws.accounts import Aws
    from pipelines.core.reporting import Reporter

ACCOUNT: Final = "700000000000"
"""Atlas's account."""
_LIVE: Final = ["pending-acceptance", "active"]
_SECONDS: Final = 10


def connect_database(aws: Aws, reporter: Reporter) -> None:
    """Join a network on the embedded AWS with its database, from the database's side too.

    On AWS the owner of the database does that: Atlas by itself, the owner of a cluster by a route back.
    """
    if not aws.embedded:
        return
    network = aws.environment.network
    if aws.environment.database.kind == "atlas":
        vpc, ec2 = request(aws), client(aws)
        peering = connect(aws, seconds=_SECONDS, reporter=reporter).peering
    else:
        ec2 = aws.ec2
        vpc = embedded_overrides.ensure_database_vpc(ec2, aws.environment.database.cidr)
        peering = stacks.outputs(aws, aws.environment.network_stack)["DatabasePeeringId"]
    embedded_overrides.add_return_route(ec2, vpc, network.vpc_cidr, peering)


def request(aws: Aws, cidr: str | None = None) -> str:
    """Ask the environment's network for a peering connection, unless one is asked for; return Atlas's VPC.

    Args:
        aws: The environment's account.
        cidr: The addresses to ask from; the database's, unless Atlas is to be wrong.
    """
    ec2 = client(aws)
    ours = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    vpc = embedded_overrides.ensure_database_vpc(ec2, cidr or aws.environment.database.cidr)
    filters = {"requester-vpc-info.vpc-id": [vpc], "accepter-vpc-info.vpc-id": [ours], "status-code": _LIVE}
    asked = ec2.describe_vpc_peering_connections(
        Filters=[{"Name": name, "Values": values} for name, values in filters.items()]
    )
    if not asked["VpcPeeringConnections"]:
        environment = aws.environment
        ec2.create_vpc_peering_connection(
            VpcId=vpc, PeerVpcId=ours, PeerOwnerId=environment.account, PeerRegion=environment.region
        )
    return vpc


def client(aws: Aws) -> EC2Client:
    """Return Atlas's own EC2 client."""
    session: Any = accounts.session(aws.environment.region, ACCOUNT, "embedded")
    ec2: EC2Client = session.client("ec2", endpoint_url=aws.endpoint)
    return ec2
