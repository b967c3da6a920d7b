"""What differs on the embedded AWS: the database, its network, Atlas, and the variables of builds.

The databases are not those of the environments' files, and what builds would download again and again is
on this machine already. `pipeline deploy` puts both into the projects' environment there, and there alone.
Atlas asks for the peering connection when it is told `atlas networking peering create aws`; here nobody is
there to tell, so an account of its own asks.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from troposphere.codebuild import EnvironmentVariable, Project
from uv import find_uv_bin

from environments import rules
from pipelines.aws import accounts, stacks
from pipelines.build import check_cache, dependencies
from pipelines.core import zone
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE, ROOT
from pipelines.deploy.connect_database import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troposphere import Template
    from types_boto3_ec2 import EC2Client

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws
    from pipelines.core.reporting import Reporter

DATABASES: Final = "PAYMENTS_REHEARSED_DATABASES"
"""Holds, as JSON, the database of each environment."""
SPEEDUP: Final = 12
"""How many times faster the embedded AWS's minutes pass in a rehearsal: 5 s each, for alarms and gates."""
CLOUDFRONT_PATH: Final = "/_cloudfront/"
"""Where viewers of a distribution come in on the embedded AWS, which no name of CloudFront's leads to."""
_DATABASE_VPC: Final = "payment-system-database"
_LONGEST_QUEUE: Final = 480
"""Minutes (CodeBuild API reference, CreateProject)."""


def variables(targets: Mapping[str, Aws], *, full: bool = False) -> dict[str, str]:
    """Return the variables that every build on this embedded AWS needs, by name.

    Args:
        targets: The environments' accounts there.
        full: Whether its builds prove the whole money path, as they do on AWS.
    """
    # How many of its connections are the data API's is for the commit's own file to say.
    databases = {
        name: with_database(target).database.model_dump(mode="json", exclude={"connections"})
        for name, target in targets.items()
    }
    return {
        DATABASES: json.dumps(databases, sort_keys=True),
        # No network is needed to rehearse, and so nobody may be there to ask for advisories.
        "PAYMENTS_AUDIT_UNCHECKED": "advisories history",
        **({} if full else {check_cache.MONEY_PATH: check_cache.SHORTENED}),
        # Half of what a build does would be to compile the same modules as the build before it.
        "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
        "UV": find_uv_bin(),
        "UV_CACHE_DIR": dependencies.uv(["cache", "dir"], cwd=ROOT).strip(),
    }


def add_variables(template: Template, variables: Mapping[str, str]) -> Template:
    """Add variables to every project of a template and return it; they win over a buildspec's.

    Its time-outs become longer by as much as an AWS minute is shorter there.
    """
    for resource in template.resources.values():
        if isinstance(resource, Project) and variables:
            resource.TimeoutInMinutes *= SPEEDUP
            resource.QueuedTimeoutInMinutes = min(resource.QueuedTimeoutInMinutes * SPEEDUP, _LONGEST_QUEUE)
            resource.Environment.EnvironmentVariables += [
                EnvironmentVariable(Name=name, Value=value, Type="PLAINTEXT")
                for name, value in {**variables, **_cache_of_zone(resource)}.items()
            ]
    return template


def _cache_of_zone(project: Project) -> dict[str, str]:
    """Return where a project's caches are: in this checkout's folder; a branch's in one of their own."""
    variables = {variable.Name: variable.Value for variable in project.Environment.EnvironmentVariables}
    branch = variables.get(zone.VARIABLE) == zone.Trust.BRANCH
    return {"PAYMENTS_CACHE": str(CACHE / "branches" if branch else CACHE)}


def environment(stated: Environment) -> Environment:
    """Return the environment as its file states it; in a rehearsal, as it runs there."""
    databases = json.loads(os.environ.get(DATABASES, "{}"))
    if stated.name not in databases:
        return stated
    return stated.as_zips().with_database(**databases[stated.name])


def with_database(aws: Aws) -> Environment:
    """Return the environment with the database it really has: its own on AWS, the embedded one otherwise.

    The embedded AWS runs zips, also where the file says `packaging: image`.

    Raises:
        Refused: No MongoDB is known, or MONGODB_URI breaks a rule.
    """
    if not aws.embedded:
        return aws.environment
    if aws.mongodb_uri is None:
        raise Refused(f"No MongoDB is known beside {aws.endpoint}.", "Name it in MONGODB_URI.")
    try:
        uri = rules.mongodb_uri(aws.mongodb_uri)
    except ValueError as error:
        raise Refused(f"MONGODB_URI {error}.") from None
    environment = aws.environment.as_zips()
    database: dict[str, Any] = {"uri": uri, "region": environment.region, **_login(aws.mongodb_secret)}
    if database.get("kind", environment.database.kind) == "own_cluster":
        database["vpc_id"] = ensure_database_vpc(aws.ec2, environment.database.cidr)
        database["owner_account"] = environment.account
    return environment.with_database(**database)


def _login(secret_arn: str | None) -> dict[str, Any]:
    """Return how the MongoDB is logged in to: not at all, or as a cluster of your own with a password."""
    if secret_arn is None:
        return {"authentication": "none", "tls": False}
    own = {"kind": "own_cluster", "atlas_project": None}
    return own | {"authentication": "SCRAM-SHA-256", "secret_arn": secret_arn, "tls": True}


def ensure_database_vpc(ec2: EC2Client, cidr: str) -> str:
    """Return the id of the VPC with the database's CIDR, making it when there is none.

    Args:
        ec2: a client in the account and region that own the database.
        cidr: its CIDR block, e.g. 10.64.0.0/16.
    """
    mine = [{"Name": "tag:Name", "Values": [_DATABASE_VPC]}, {"Name": "cidr", "Values": [cidr]}]
    for vpc in ec2.describe_vpcs(Filters=mine)["Vpcs"]:  # type: ignore[arg-type]  # lists and sequences are one on the wire
        return vpc["VpcId"]
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": _DATABASE_VPC}]}]
    made = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tags)  # type: ignore[arg-type]  # as above
    return made["Vpc"]["VpcId"]


def add_return_route(ec2: EC2Client, vpc: str, cidr: str, peering: str) -> None:
    """Add the route that the owner of the database adds: from its VPC through the peering connection.

    Args:
        ec2: a client in the account and region that own the database.
        vpc: the database's VPC.
        cidr: where to, the network that asks.
        peering: the peering connection; a route through an older one is replaced.
    """
    mine = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    for table in ec2.describe_route_tables(Filters=mine)["RouteTables"]:  # type: ignore[arg-type]  # as above
        peerings_by_cidr = {
            r.get("DestinationCidrBlock"): r.get("VpcPeeringConnectionId") for r in table["Routes"]
        }
        if peerings_by_cidr.get(cidr) == peering:
            continue
        if cidr in peerings_by_cidr:
            ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr)
        ec2.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr, VpcPeeringConnectionId=peering
        )


ATLAS_ACCOUNT: Final = "700000000000"
"""Atlas's account."""
_LIVE: Final = ["pending-acceptance", "active"]
_SECONDS: Final = 10


def connect_atlas(aws: Aws, reporter: Reporter) -> None:
    """Join a network on the embedded AWS with its database, from the database's side too.

    On AWS the owner of the database does that: Atlas by itself, the owner of a cluster by a route back.
    """
    if not aws.embedded:
        return
    network = aws.environment.network
    if aws.environment.database.kind == "atlas":
        vpc, ec2 = request_peering(aws), atlas_client(aws)
        peering = connect(aws, seconds=_SECONDS, reporter=reporter).peering
    else:
        ec2 = aws.ec2
        vpc = ensure_database_vpc(ec2, aws.environment.database.cidr)
        peering = stacks.outputs(aws, aws.environment.network_stack)["DatabasePeeringId"]
    add_return_route(ec2, vpc, network.vpc_cidr, peering)


def request_peering(aws: Aws, cidr: str | None = None) -> str:
    """Ask the environment's network for a peering connection, unless one is asked for; return Atlas's VPC.

    Args:
        aws: The environment's account.
        cidr: The addresses to ask from; the database's, unless Atlas is to be wrong.
    """
    ec2 = atlas_client(aws)
    ours = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    vpc = ensure_database_vpc(ec2, cidr or aws.environment.database.cidr)
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


def atlas_client(aws: Aws) -> EC2Client:
    """Return Atlas's own EC2 client."""
    session: Any = accounts.session(aws.environment.region, ATLAS_ACCOUNT, "embedded")
    ec2: EC2Client = session.client("ec2", endpoint_url=aws.endpoint)
    return ec2
