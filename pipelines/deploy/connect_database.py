"""Connects an environment's network with its database in Atlas, which asks for the connection itself.

Each step looks first whether it is done, so the whole can be repeated, and goes on where it stopped.
Source: MongoDB Atlas documentation, "Set Up a Network Peering Connection".
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final, Literal

from pipelines.aws import stacks
from pipelines.aws.stacks import StackRequest
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import TimedOut, wait_until
from pipelines.deploy import atlas_peering
from templates.capabilities.peering import PEERING_ID

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.deploy.atlas_peering import PeeringRequest

_ACTIVE_SECONDS: Final = 120
Attribute = Literal["enableDnsSupport", "enableDnsHostnames"]
_DNS: Final[dict[Attribute, str]] = {
    "enableDnsSupport": "EnableDnsSupport",
    "enableDnsHostnames": "EnableDnsHostnames",
}


@dataclass(frozen=True, slots=True)
class Connected:
    """A network that reaches its database.

    Attributes:
        peering: The id of the peering connection.
        change: What happened to the network stack: updated or unchanged.
    """

    peering: str
    change: str


def commands(aws: Aws) -> dict[str, str]:
    """Return what Atlas must be told, as commands of its CLI by what they do.

    Raises:
        Refused: The database is not in Atlas, or there is no network yet.
    """
    outputs = _network(aws)
    return atlas_peering.commands(aws.environment, outputs["VpcId"], outputs["DataApiRoleArn"])


def connect(aws: Aws, *, seconds: float, reporter: Reporter = NOBODY) -> Connected:
    """Wait for the request of Atlas, accept it, and give the network stack its id.

    Args:
        aws: The environment's account.
        seconds: How long to wait for the request.
        reporter: Told what is waited for, and of requests that ended.

    Raises:
        Refused: The database is not in Atlas, there is no network yet, addresses overlap, a request comes
            from other addresses or twice, names would not resolve, or a route leads elsewhere.
        TimedOut: Nobody asked in that time.
        StackFailed: The network stack could not be changed.
    """
    vpc = _network(aws)["VpcId"]
    _addresses_apart(aws, vpc)
    request = _awaited(aws, vpc, seconds, reporter)
    if request.state == atlas_peering.PENDING:
        aws.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=request.identifier)
        reporter.say(f"{request.identifier} from {request.cidr} accepted")
    _active(aws, vpc, request.identifier, reporter)
    _names_resolve(aws, vpc)
    change = _routed(aws, request.identifier, reporter)
    return Connected(request.identifier, change)


def _network(aws: Aws) -> dict[str, str]:
    """Return the outputs of the network stack."""
    environment = aws.environment
    if environment.database.kind != "atlas":
        raise Refused(
            f"The database of {environment.name} is a cluster of your own: the network stack asks its owner "
            "for the connection.",
            f"payments doctor {environment.name}",
        )
    if stacks.status(aws, environment.network_stack) is None:
        raise Refused(f"{environment.name} has no network yet.", "payments pipeline deploy")
    return stacks.outputs(aws, environment.network_stack)


def _addresses_apart(aws: Aws, vpc: str) -> None:
    """Refuse addresses that overlap: AWS would show the request to Atlas alone, as failed."""
    database = IPv4Network(aws.environment.database.cidr)
    described: Any = aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    more = [block["CidrBlock"] for block in described.get("CidrBlockAssociationSet", [])]
    for cidr in {described["CidrBlock"], *more}:
        if database.overlaps(IPv4Network(cidr)):
            raise Refused(
                f"The network's {cidr} overlaps the database's {database}, and networks that "
                "overlap cannot peer.",
                f"Give one of them other addresses: environments/{aws.environment.name}.yml",
            )


def _awaited(aws: Aws, vpc: str, seconds: float, reporter: Reporter) -> PeeringRequest:
    environment, noticed = aws.environment, dict[str, None]()

    def asked() -> PeeringRequest | None:
        requests = atlas_peering.to_vpc(aws, vpc)
        request = atlas_peering.of_database(requests, environment)
        for notice in atlas_peering.ended(requests, environment) if request is None else ():
            if notice not in noticed:
                reporter.say(notice)
                noticed[notice] = None
        reporter.passing(f"waiting for Atlas to ask from {environment.database.cidr}")
        return request

    try:
        return wait_until(
            asked,
            seconds=seconds,
            every=5 * aws.poll_seconds,
            what=f"Atlas to ask {vpc} for a peering connection from {environment.database.cidr}",
        )
    except TimedOut as timed_out:
        notice = next(reversed(noticed), "")
        hint = f"Give Atlas the commands above, then again: payments database connect {environment.name}"
        raise TimedOut(" ".join(filter(None, (timed_out.message, notice))), hint) from None


def _active(aws: Aws, vpc: str, identifier: str, reporter: Reporter) -> None:
    def active() -> bool:
        [request] = [each for each in atlas_peering.to_vpc(aws, vpc) if each.identifier == identifier]
        for notice in atlas_peering.ended([request], aws.environment):
            raise Refused(notice, f"payments database connect {aws.environment.name}")
        reporter.passing(f"{identifier} is {request.state}")
        return request.state == "active"

    wait_until(active, seconds=_ACTIVE_SECONDS, every=aws.poll_seconds, what=f"{identifier} to become active")


def dns_attributes_off(aws: Aws, vpc: str) -> list[Attribute]:
    """Return which of the VPC's DNS attributes are off, of those that private addresses of names need."""
    off: list[Attribute] = []
    for attribute, key in _DNS.items():
        answer: Any = aws.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        if not answer[key]["Value"]:
            off.append(attribute)
    return off


def turn_on(region: str, vpc: str, attribute: Attribute) -> str:
    """Return the command that turns a VPC's DNS attribute on."""
    option = {"enableDnsSupport": "dns-support", "enableDnsHostnames": "dns-hostnames"}[attribute]
    return f"aws ec2 modify-vpc-attribute --region {region} --vpc-id {vpc} --enable-{option}"


def _names_resolve(aws: Aws, vpc: str) -> None:
    """Check what the names of a peered cluster need to resolve to its private addresses."""
    for attribute in dns_attributes_off(aws, vpc):
        raise Refused(
            f"{attribute} of {vpc} is off, so the cluster's names do not resolve to private addresses. "
            "The network stack turns it on; somebody turned it off.",
            turn_on(aws.environment.region, vpc, attribute),
        )


def _routed(aws: Aws, identifier: str, reporter: Reporter) -> str:
    """Give the network stack the connection's id, where it has another or none."""
    name = aws.environment.network_stack
    if atlas_peering.routed_peering(aws) == identifier:
        return "unchanged"
    tags = {tag["Key"]: tag["Value"] for tag in stacks.described(aws, name).get("Tags", [])}
    return stacks.deploy(aws, StackRequest(name, None, {PEERING_ID: identifier}, tags), reporter)
