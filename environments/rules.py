"""Rules that a type alone cannot say: about one value, and between the parts of an environment file.

The rules between parts look at the raw file and skip what is missing or malformed, so that one
mistake never hides another.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from environments import payment_rules
from environments.files import Problem, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Amazon VPC user guide, "VPC CIDR blocks" and "Subnet sizing": both are /16 to /28.
_LARGEST, _SMALLEST = 16, 28
_ACCOUNT_DIGITS = 12
_MONGODB_PORT = 27017
_REGION = 3
"""Where an ARN names it."""
# MongoDB CLI documentation, "atlas networking peering aws create", --atlasCidrBlock.
_LARGEST_ATLAS, _SMALLEST_ATLAS = 21, 24
_SHARED = ("branch", "local")
"""Environments of any number of payments stacks."""
_BY_KIND = {"atlas": ("atlas_project",), "own_cluster": ("vpc_id", "owner_account")}
"""What each kind of database requires; the other's keys have no meaning with it."""


def vpc_sized_cidr(value: str) -> str:
    """Return the CIDR if AWS would take it as a VPC or subnet block; raise ValueError otherwise.

    Raises:
        ValueError: It is no CIDR of a size and range that a VPC may have.
    """
    if "/" not in value:
        raise ValueError(f"{value} has no prefix length; write it like 10.0.0.0/16")
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"is not a CIDR: {error}") from error
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise ValueError(f"{value} is not between /{_LARGEST} and /{_SMALLEST}, as AWS asks")
    if not network.is_private:
        raise ValueError(f"{value} is not a private range (RFC 1918)")
    return value


def mongodb_uri(value: str) -> str:
    """Return the URI if it names hosts alone; raise ValueError otherwise.

    Credentials never live in a file (MONGODB-AWS needs none), and how to authenticate is said once,
    by its own keys. The value is never repeated in the error: it might hold a password.

    Raises:
        ValueError: It is none, or says what another key says.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"mongodb", "mongodb+srv"}:
        raise ValueError("does not begin with mongodb:// or mongodb+srv://")
    if "@" in value:
        raise ValueError("holds credentials; the data API authenticates with its IAM role instead")
    if not parts.netloc:
        raise ValueError("names no host")
    if parts.path.strip("/"):
        raise ValueError("names a database; each stack has one of its own")
    options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if clash := sorted(options & {"authmechanism", "authsource", "authmechanismproperties", "tls", "ssl"}):
        raise ValueError(f"sets {', '.join(clash)}; use the keys authentication and tls")
    return value


def with_options(uri: str, options: list[str]) -> str:
    """Return the MongoDB URI with `name=value` options added."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, [parts.query, *options]))
    return f"{parts.scheme}://{parts.netloc}/?{query}"


def ports(uri: str) -> tuple[int, int]:
    """Return the first and the last port of a MongoDB URI's hosts; 27017 is MongoDB's own."""
    hosts = urlsplit(uri).netloc.split(",")
    numbers = [int(port) for _, _, port in (host.rpartition(":") for host in hosts) if port.isdigit()]
    if len(numbers) < len(hosts):
        numbers.append(_MONGODB_PORT)
    return min(numbers), max(numbers)


def between_parts(raw: dict[Any, Any]) -> Iterator[Problem]:
    """Yield every broken rule between the parts of one raw environment file."""
    yield from _networks(raw)
    yield from _zones(raw)
    yield from _kind(raw)
    if value_at(raw, "database", "connections") is not None and raw.get("name") in _SHARED:
        yield Problem("database.connections", "is left out here: any number of stacks share the cluster")
    yield from _peering(raw)
    yield from _deployment(raw)
    yield from _production(raw)
    yield from _topics(raw)
    yield from payment_rules.between_parts(raw)


def _topics(raw: dict[Any, Any]) -> Iterator[Problem]:
    """An alarm tells topics of its own region; they may be another account's that lets it."""
    for key in ("page_topic_arn", "ticket_topic_arn"):
        topic = value_at(raw, "alarms", key)
        if (
            isinstance(topic, str)
            and topic.count(":") > _REGION
            and topic.split(":")[_REGION] != raw.get("region")
        ):
            yield Problem(f"alarms.{key}", f"is not of the environment's region {raw.get('region')}")


def _networks(raw: dict[Any, Any]) -> Iterator[Problem]:
    vpc = _cidr(value_at(raw, "network", "vpc_cidr"))
    database = _cidr(value_at(raw, "database", "cidr"))
    if vpc and database and vpc.overlaps(database):
        yield Problem("network.vpc_cidr", f"overlaps database.cidr {database}")
    cidrs = value_at(raw, "network", "private_subnet_cidrs")
    subnets = [_cidr(value) for value in cidrs] if isinstance(cidrs, list) else []
    public = _cidr(value_at(raw, "network", "public_subnet_cidr"))
    if vpc and public and not public.subnet_of(vpc):
        yield Problem("network.public_subnet_cidr", f"is outside network.vpc_cidr {vpc}")
    for subnet in subnets:
        if public and subnet and public.overlaps(subnet):
            yield Problem("network.public_subnet_cidr", f"overlaps {subnet}")
    for index, subnet in enumerate(subnets):
        if vpc and subnet and not subnet.subnet_of(vpc):
            yield Problem(f"network.private_subnet_cidrs.{index}", f"is outside network.vpc_cidr {vpc}")
    yield from _overlaps(enumerate(subnets))


def _zones(raw: dict[Any, Any]) -> Iterator[Problem]:
    """Two different zones of the region: AWS names them, and a subnet cannot move."""
    zones, region = value_at(raw, "network", "zones"), raw.get("region")
    if not isinstance(zones, list) or not isinstance(region, str):
        return
    for index, zone in enumerate(zones):
        if isinstance(zone, str) and zone[:-1] != region:
            yield Problem(f"network.zones.{index}", f"{zone} is not a zone of {region}")
    if len(set(map(str, zones))) < len(zones):
        yield Problem("network.zones", "are the same: losing it would lose everything")


def _overlaps(subnets: Iterable[tuple[int, IPv4Network | None]]) -> Iterator[Problem]:
    for (_, first), (index, second) in combinations(subnets, 2):
        if first and second and first.overlaps(second):
            yield Problem(f"network.private_subnet_cidrs.{index}", f"overlaps {first}")


def _kind(raw: dict[Any, Any]) -> Iterator[Problem]:
    kind = value_at(raw, "database", "kind")
    if kind not in _BY_KIND:
        return
    for owner, keys in _BY_KIND.items():
        for key in keys:
            present = value_at(raw, "database", key) is not None
            if owner == kind and not present:
                yield Problem(f"database.{key}", f"is required by {kind}")
            if owner != kind and present:
                yield Problem(f"database.{key}", f"has no meaning with {kind}")
    if kind == "atlas":
        yield from _atlas(raw)
    yield from _login(raw)
    if kind == "own_cluster" and value_at(raw, "database", "authentication") == "MONGODB-AWS":
        # PyMongo documentation, "AWS IAM Authentication": it is available for Atlas alone.
        yield Problem("database.authentication", "is not MONGODB-AWS with own_cluster: only Atlas knows it")


def _login(raw: dict[Any, Any]) -> Iterator[Problem]:
    scram = value_at(raw, "database", "authentication") == "SCRAM-SHA-256"
    secret = value_at(raw, "database", "secret_arn")
    if scram and value_at(raw, "database", "kind") == "atlas":
        yield Problem("database.authentication", "is MONGODB-AWS with atlas: it needs no password")
    if scram and secret is None:
        yield Problem("database.secret_arn", "is required by SCRAM-SHA-256")
    if not scram and secret is not None:
        yield Problem("database.secret_arn", "has a meaning with SCRAM-SHA-256 alone")
    if isinstance(secret, str) and payment_rules.is_secret_arn(secret):
        _, _, _, region, account, *_ = secret.split(":")
        if (region, account) != (raw.get("region"), raw.get("account")):
            yield Problem("database.secret_arn", "is not of this environment's account and region")


def _atlas(raw: dict[Any, Any]) -> Iterator[Problem]:
    cidr = _cidr(value_at(raw, "database", "cidr"))
    if cidr and not _LARGEST_ATLAS <= cidr.prefixlen <= _SMALLEST_ATLAS:
        yield Problem(
            "database.cidr", f"{cidr} is not between /{_LARGEST_ATLAS} and /{_SMALLEST_ATLAS}, as Atlas asks"
        )
    if value_at(raw, "database", "peer_role_arn") is not None:
        yield Problem("database.peer_role_arn", "has no meaning with atlas, which asks and never accepts")


def _peering(raw: dict[Any, Any]) -> Iterator[Problem]:
    owner, role = value_at(raw, "database", "owner_account"), value_at(raw, "database", "peer_role_arn")
    accounts_differ = isinstance(owner, str) and _is_account(raw.get("account")) and owner != raw["account"]
    if accounts_differ and role is None:
        # AWS documentation, AWS::EC2::VPCPeeringConnection: PeerRoleArn is required across accounts.
        yield Problem(
            "database.peer_role_arn", f"is required, because account {owner} must accept the peering"
        )
    if isinstance(owner, str) and isinstance(role, str) and f"::{owner}:" not in role:
        yield Problem("database.peer_role_arn", f"is not a role of database.owner_account {owner}")


def _deployment(raw: dict[Any, Any]) -> Iterator[Problem]:
    kind = value_at(raw, "deployment", "type")
    for key in ("percentage", "interval_minutes"):
        value = value_at(raw, "deployment", key)
        if kind in {"CANARY", "LINEAR"} and value is None:
            yield Problem(f"deployment.{key}", f"is required by {kind}")
        if kind == "ALL_AT_ONCE" and value is not None:
            yield Problem(f"deployment.{key}", "has no meaning with ALL_AT_ONCE")


def _production(raw: dict[Any, Any]) -> Iterator[Problem]:
    if raw.get("production") is not True:
        return
    if value_at(raw, "database", "tls") is False:
        yield Problem("database.tls", "is true in production")
    if value_at(raw, "database", "authentication") == "none":
        yield Problem("database.authentication", "is not none in production")


def _is_account(value: object) -> bool:
    return isinstance(value, str) and len(value) == _ACCOUNT_DIGITS and value.isdigit()


def _cidr(value: object) -> IPv4Network | None:
    try:
        return IPv4Network(vpc_sized_cidr(value)) if isinstance(value, str) else None
    except ValueError:
        return None
