"""Addresses that overlap: two networks that do cannot be routed to each other."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from pipelines.aws import stacks
from pipelines.deploy import embedded_overrides
from pipelines.doctor.findings import Verdict, failed, unknown, well
from pipelines.doctor.peering import connection_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws


def apart(aws: Aws, everywhere: Sequence[Environment]) -> Verdict:
    """The network's real addresses overlap neither the database's nor others' beside it.

    Args:
        aws: The environment's account.
        everywhere: Every environment that has a file; those that share a database must not overlap.
    """
    environment, database = aws.environment, embedded_overrides.with_database(aws).database
    clash = shared_with(environment, everywhere)
    if clash is not None:
        return failed(
            f"{environment.name} and {clash.name} peer with {environment.database.vpc_id}, and their "
            f"networks overlap: {environment.network.vpc_cidr}, {clash.network.vpc_cidr}",
            f"Give one of them other addresses: environments/{environment.name}.yml, network.vpc_cidr",
        )
    if stacks.status(aws, environment.network_stack) is None:
        return unknown("There is no network yet to compare with the database's", "Mend its stack first.")
    ours = _of_our_vpc(aws)
    theirs = {database.cidr, *_shown_by_the_peering(aws)}
    pairs = [(a, b) for a in sorted(ours) for b in sorted(theirs) if IPv4Network(a).overlaps(IPv4Network(b))]
    if pairs:
        return failed(
            f"The network's {pairs[0][0]} overlaps the database's {pairs[0][1]}",
            f"Give the network other addresses: environments/{environment.name}.yml, network.vpc_cidr",
        )
    return well(f"{', '.join(sorted(ours))} and {', '.join(sorted(theirs))} do not overlap")


def shared_with(environment: Environment, everywhere: Iterable[Environment]) -> Environment | None:
    """Another environment that peers with the same database from overlapping addresses, if there is one."""
    ours, there = IPv4Network(environment.network.vpc_cidr), environment.database.vpc_id
    for other in everywhere:
        one_database = other.name != environment.name and other.database.vpc_id == there
        if one_database and ours.overlaps(IPv4Network(other.network.vpc_cidr)):
            return other
    return None


def _of_our_vpc(aws: Aws) -> set[str]:
    vpc = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    described: dict[str, Any] = dict(aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0])
    more = [one["CidrBlock"] for one in described.get("CidrBlockAssociationSet", [])]
    return {described["CidrBlock"], *more}


def _shown_by_the_peering(aws: Aws) -> set[str]:
    """What the accepter's VPC has, once it accepted (API reference, VpcPeeringConnectionVpcInfo)."""
    accepter = (connection_of(aws) or {}).get("AccepterVpcInfo", {})
    return {one["CidrBlock"] for one in accepter.get("CidrBlockSet", [])}
