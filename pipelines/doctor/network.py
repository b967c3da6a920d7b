"""The way to the database: a peering connection that its owner accepted, and a route on each side of it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.deploy import connect_database, embedded_overrides
from pipelines.doctor.findings import Diagnosis, failed, unknown, well

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws

_NEW: Final = "Delete it, and deploy the network again: payments pipeline deploy"
_NOTHING: Final = "There is no network yet"


def accepted(aws: Aws) -> Diagnosis:
    """Check that the peering connection is active and leads to the database's VPC."""
    peering = connection_of(aws)
    if peering is None:
        return _missing(aws)
    identifier, state = peering["VpcPeeringConnectionId"], peering["Status"]["Code"]
    if aws.environment.database.kind == "atlas":
        return _atlas_accepted(aws, identifier, state, peering["RequesterVpcInfo"].get("CidrBlock"))
    return _own_accepted(aws, identifier, state, peering["AccepterVpcInfo"]["VpcId"])


def _atlas_accepted(aws: Aws, identifier: str, state: str, cidr: str | None) -> Diagnosis:
    stated = aws.environment.database.cidr
    if state != "active":
        return failed(f"{identifier} is {state}", _connect(aws))
    if cidr != stated:
        return failed(
            f"{identifier} leads to {cidr}, and the file says database.cidr {stated}", _connect(aws)
        )
    return well(f"{identifier} is active")


def _own_accepted(aws: Aws, identifier: str, state: str, vpc: str) -> Diagnosis:
    database = embedded_overrides.with_database(aws).database
    if state == "pending-acceptance":
        return failed(
            f"{identifier} waits for account {database.owner_account} to accept it",
            f"There: aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id {identifier} "
            f"--region {database.region}",
        )
    if state != "active":
        return failed(f"{identifier} is {state}", _NEW)
    if vpc != database.vpc_id:
        return failed(f"{identifier} leads to {vpc}, and the file names {database.vpc_id}", _NEW)
    return well(f"{identifier} is active")


def route_to_database(aws: Aws) -> Diagnosis:
    """Check that every private subnet has a route to the database through the peering connection."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return _missing(aws)
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
        return _missing(aws)
    identifier, ours = peering["VpcPeeringConnectionId"], aws.environment.network.vpc_cidr
    if database.vpc_id is None or database.owner_account is None:
        return well("Atlas routes back by itself")
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


def names_resolve(aws: Aws) -> Diagnosis:
    """Check that the names of a peered cluster can resolve to its private addresses.

    MongoDB Atlas documentation, "Set Up a Network Peering Connection": the VPC needs both attributes.
    """
    if stacks.status(aws, aws.environment.network_stack) is None:
        return failed(_NOTHING, "Fix the network stack first.")
    vpc, region = stacks.outputs(aws, aws.environment.network_stack)["VpcId"], aws.environment.region
    off = connect_database.dns_attributes_off(aws, vpc)
    if off:
        return failed(f"{', '.join(off)} of {vpc} is off", connect_database.turn_on(region, vpc, off[0]))
    if aws.environment.database.kind == "own_cluster":
        return well(
            f"DNS is on in {vpc}; what private names your cluster has there is up to its owner's hosted zones"
        )
    return well(f"DNS hostnames and resolution are on in {vpc}")


def _missing(aws: Aws) -> Diagnosis:
    if aws.environment.database.kind == "atlas":
        return failed("Atlas is not connected yet", _connect(aws))
    return failed(_NOTHING, "Fix the network stack first.")


def _connect(aws: Aws) -> str:
    return f"payments database connect {aws.environment.name}"


def connection_of(aws: Aws) -> dict[str, Any] | None:
    """Return the peering connection of an environment's network, if any, as DescribeVpcPeeringConnections."""
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
            f"{environment.name} and {clash.name} peer with {_database_of(environment)}, and their "
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
    ours, database = IPv4Network(environment.network.vpc_cidr), _database_of(environment)
    for other in environments:
        same_database = other.name != environment.name and _database_of(other) == database
        if same_database and ours.overlaps(IPv4Network(other.network.vpc_cidr)):
            return other
    return None


def _database_of(environment: Environment) -> str | None:
    return environment.database.vpc_id or environment.database.atlas_project


def _of_our_vpc(aws: Aws) -> set[str]:
    vpc = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    described: dict[str, Any] = dict(aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0])
    more = [block["CidrBlock"] for block in described.get("CidrBlockAssociationSet", [])]
    return {described["CidrBlock"], *more}


def _shown_by_the_peering(aws: Aws) -> set[str]:
    """Return the CIDR blocks of the database's VPC; an accepter's are there once it accepted."""
    side = "RequesterVpcInfo" if aws.environment.database.kind == "atlas" else "AccepterVpcInfo"
    database = (connection_of(aws) or {}).get(side, {})
    return {block["CidrBlock"] for block in database.get("CidrBlockSet", [])}
