"""The way to the database: a peering connection that its owner accepted, and a route on each side of it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.deploy import embedded_overrides
from pipelines.doctor.findings import Diagnosis, failed, unknown, well

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws

_NEW: Final = "Delete it, and deploy the network again: payments pipeline deploy"
_NOTHING: Final = "There is no network yet"


def accepted(aws: Aws) -> Diagnosis:
    """Check that the peering connection is active and leads to the database's VPC."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Fix the network stack first.")
    identifier, state = peering["VpcPeeringConnectionId"], peering["Status"]["Code"]
    if state == "pending-acceptance":
        return failed(
            f"{identifier} waits for account {database.owner_account} to accept it",
            f"There: aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id {identifier} "
            f"--region {database.region}",
        )
    if state != "active":
        return failed(f"{identifier} is {state}", _NEW)
    leads_to = peering["AccepterVpcInfo"]["VpcId"]
    if leads_to != database.vpc_id:
        return failed(f"{identifier} leads to {leads_to}, and the file names {database.vpc_id}", _NEW)
    return well(f"{identifier} is active")


def route_to_database(aws: Aws) -> Diagnosis:
    """Check that every private subnet has a route to the database through the peering connection."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Fix the network stack first.")
    identifier = peering["VpcPeeringConnectionId"]
    subnets = stacks.outputs(aws, aws.environment.network_stack)["PrivateSubnetIds"].split(",")
    for subnet in subnets:
        tables = _tables(aws, "association.subnet-id", subnet)
        if not any(_leads(table, database.cidr, identifier) for table in tables):
            table = tables[0]["RouteTableId"] if tables else "TABLE"
            return failed(
                f"{subnet} has no active route to {database.cidr} through {identifier}",
                _create_route(table, database.cidr, identifier, aws.environment.region),
            )
    return well(f"{len(subnets)} subnets have a route to {database.cidr}")


def route_from_database(aws: Aws) -> Diagnosis:
    """Check that the database's VPC has a route to the network, as far as the caller may see it."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Fix the network stack first.")
    identifier, ours = peering["VpcPeeringConnectionId"], aws.environment.network.vpc_cidr
    remedy = _create_route("TABLE", ours, identifier, database.region)
    if (database.owner_account, database.region) != (aws.environment.account, aws.environment.region):
        return unknown(
            f"{database.vpc_id} is account {database.owner_account}'s in {database.region}; its routes show "
            "nowhere else",
            f"Ask its owner for a route to {ours}: {remedy}",
        )
    tables = _tables(aws, "vpc-id", database.vpc_id)
    lacking = [table["RouteTableId"] for table in tables if not _leads(table, ours, identifier)]
    if len(lacking) == len(tables):
        table = lacking[0] if lacking else "TABLE"
        return failed(
            f"{database.vpc_id} has no active route to {ours} through {identifier}",
            _create_route(table, ours, identifier, database.region),
        )
    without = f", not from {', '.join(lacking)}" if lacking else ""
    return well(f"{database.vpc_id} has a route to {ours}{without}")


def connection_of(aws: Aws) -> dict[str, Any] | None:
    """Return the peering connection of an environment's network, if it has one."""
    name = aws.environment.network_stack
    if stacks.status(aws, name) is None:
        return None
    identifier = stacks.outputs(aws, name).get("DatabasePeeringId", "")
    connections = aws.ec2.describe_vpc_peering_connections(
        Filters=[{"Name": "vpc-peering-connection-id", "Values": [identifier]}]
    )["VpcPeeringConnections"]
    ours: Iterable[Any] = (
        connection for connection in connections if connection["VpcPeeringConnectionId"] == identifier
    )
    return next((dict(connection) for connection in ours), None)


def _tables(aws: Aws, name: str, value: str) -> Sequence[Any]:
    return aws.ec2.describe_route_tables(Filters=[{"Name": name, "Values": [value]}])["RouteTables"]


def _leads(table: Any, cidr: str, peering: str) -> bool:
    return any(
        route.get("DestinationCidrBlock") == cidr
        and route.get("VpcPeeringConnectionId") == peering
        and route.get("State") == "active"
        for route in table.get("Routes", [])
    )


def _create_route(table: str, cidr: str, peering: str, region: str) -> str:
    return (
        f"aws ec2 create-route --region {region} --route-table-id {table} --destination-cidr-block {cidr} "
        f"--vpc-peering-connection-id {peering}"
    )


def apart(aws: Aws, environments: Sequence[Environment]) -> Diagnosis:
    """Check that the network's addresses overlap neither the database's nor another environment's.

    Args:
        aws: The environment's account.
        environments: Every environment that has a file; those that share a database must not overlap.
    """
    environment, database = aws.environment, embedded_overrides.with_database(aws).database
    clash = shared_with(environment, environments)
    if clash is not None:
        return failed(
            f"{environment.name} and {clash.name} peer with {environment.database.vpc_id}, and their "
            f"networks overlap: {environment.network.vpc_cidr}, {clash.network.vpc_cidr}",
            f"Give one of them other addresses: environments/{environment.name}.yml, network.vpc_cidr",
        )
    if stacks.status(aws, environment.network_stack) is None:
        return unknown("There is no network yet to compare with the database's", "Fix its stack first.")
    ours = _of_our_vpc(aws)
    theirs = {database.cidr, *_shown_by_the_peering(aws)}
    pairs = [(a, b) for a in sorted(ours) for b in sorted(theirs) if IPv4Network(a).overlaps(IPv4Network(b))]
    if pairs:
        return failed(
            f"The network's {pairs[0][0]} overlaps the database's {pairs[0][1]}",
            f"Give the network other addresses: environments/{environment.name}.yml, network.vpc_cidr",
        )
    return well(f"{', '.join(sorted(ours))} and {', '.join(sorted(theirs))} do not overlap")


def shared_with(environment: Environment, environments: Iterable[Environment]) -> Environment | None:
    """Return another environment that peers with the same database from overlapping addresses, if any."""
    ours, database_vpc = IPv4Network(environment.network.vpc_cidr), environment.database.vpc_id
    for other in environments:
        same_database = other.name != environment.name and other.database.vpc_id == database_vpc
        if same_database and ours.overlaps(IPv4Network(other.network.vpc_cidr)):
            return other
    return None


def _of_our_vpc(aws: Aws) -> set[str]:
    vpc = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    described: dict[str, Any] = dict(aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0])
    more = [block["CidrBlock"] for block in described.get("CidrBlockAssociationSet", [])]
    return {described["CidrBlock"], *more}


def _shown_by_the_peering(aws: Aws) -> set[str]:
    """Return the CIDR blocks of the accepter's VPC, which are there once it accepted."""
    accepter = (connection_of(aws) or {}).get("AccepterVpcInfo", {})
    return {block["CidrBlock"] for block in accepter.get("CidrBlockSet", [])}
