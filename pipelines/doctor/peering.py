"""The way to the database: a peering connection that its owner accepted, and a route on each side of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.deploy import embedded_overrides
from pipelines.doctor.findings import Verdict, failed, unknown, well

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.aws.accounts import Aws

_NEW: Final = "Delete it, and deploy the network again: payments pipeline deploy"
_NOTHING: Final = "There is no network yet"


def accepted(aws: Aws) -> Verdict:
    """The peering connection is active, and leads to the database's VPC."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Mend the network stack first.")
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


def route_there(aws: Aws) -> Verdict:
    """Every private subnet has a route to the database through the peering connection."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Mend the network stack first.")
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


def route_back(aws: Aws) -> Verdict:
    """The database's VPC has a route to the network; as far as the caller may see it."""
    peering, database = connection_of(aws), embedded_overrides.with_database(aws).database
    if peering is None:
        return failed(_NOTHING, "Mend the network stack first.")
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
    """The peering connection of an environment's network; nothing where there is none."""
    name = aws.environment.network_stack
    if stacks.status(aws, name) is None:
        return None
    identifier = stacks.outputs(aws, name).get("DatabasePeeringId", "")
    found = aws.ec2.describe_vpc_peering_connections(
        Filters=[{"Name": "vpc-peering-connection-id", "Values": [identifier]}]
    )["VpcPeeringConnections"]
    ours: Iterable[Any] = (one for one in found if one["VpcPeeringConnectionId"] == identifier)
    return next((dict(one) for one in ours), None)


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
