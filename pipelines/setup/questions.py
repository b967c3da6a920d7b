"""What is asked, in its order; what each answer means, and which keys of which files it sets."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final

from environments.groupings import PROMOTED
from payment_data.payment_methods.names import NAMES, STRIPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Answers = dict[str, str]
Settings = dict[tuple[str, str], Any]
"""File and key, as (`prod`, `database.cidr`), to the value; None takes the key out."""

TOOLS: Final = "tools"
_KINDS: Final = ("atlas", "own_cluster")
_SUBNET: Final = 20
_PUBLIC: Final = 28


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is yours.

    Attributes:
        name: Its key in an answers file.
        text: What is asked.
        why: What it is for, in a line.
        place: The file and key whose value is the answer as it stands.
        asked: Whether it is asked, after the answers so far.
        choices: What may be answered, where not anything may.
    """

    name: str
    text: str
    why: str
    place: tuple[str, str]
    asked: Callable[[Mapping[str, str]], bool] = lambda _: True
    choices: tuple[str, ...] = ()


def questions() -> Iterator[Question]:
    """Yield the questions in their order."""
    for name in (TOOLS, *PROMOTED):
        purpose = "the pipelines run in" if name == TOOLS else f"{name} runs in"
        yield Question(
            f"{name}_account", f"AWS account of {name}", f"Twelve digits; what {purpose}.", (name, "account")
        )
    yield Question(
        "region", "AWS region", "One for everything; its zones a and b are used.", (TOOLS, "region")
    )
    yield Question(
        "repository", "Repository", "owner/name, where your copy of this code is.", (TOOLS, "repository")
    )
    yield Question("owner", "Owning team", "A tag on every stack: who answers for it.", ("prod", "owner"))
    yield Question(
        "network",
        "First network",
        "A /16 for branches; staging and production get the two that follow. None may overlap with a VPC "
        "that you will ever peer with.",
        ("branch", "network.vpc_cidr"),
    )
    yield Question(
        "database",
        "Database",
        "In Atlas, or a cluster of your own.",
        ("prod", "database.kind"),
        choices=_KINDS,
    )
    for name in PROMOTED:
        yield from _database(name)
    yield Question(
        "payment_method",
        "Payment method",
        "How orders are paid; Stripe takes cards and SEPA debits.",
        ("prod", "payment_method"),
        choices=tuple(sorted(NAMES)),
    )
    yield Question("currency", "Currency", "Of every price and balance.", ("prod", "currency"))
    for name in PROMOTED:
        yield Question(
            f"{name}_stripe_secret",
            f"Stripe's key of {name}",
            "The ARN of the secret that holds it, in that environment's account.",
            (name, "stripe.secret_arn"),
            lambda answers: answers.get("payment_method") in STRIPE,
        )


def _database(name: str) -> Iterator[Question]:
    atlas = _answered("database", "atlas")
    own = _answered("database", "own_cluster")
    yield Question(
        f"{name}_atlas_project",
        f"Atlas project of {name}",
        "Its id, 24 hexadecimal digits.",
        (name, "database.atlas_project"),
        atlas,
    )
    yield Question(
        f"{name}_database_vpc",
        f"VPC of the cluster of {name}",
        "Its id, as vpc-….",
        (name, "database.vpc_id"),
        own,
    )
    yield Question(
        f"{name}_database_owner",
        f"AWS account of that VPC of {name}",
        "Twelve digits; it may be the environment's own.",
        (name, "database.owner_account"),
        own,
    )
    yield Question(
        f"{name}_database_role",
        f"Role there that accepts peering connections with {name}",
        "Its ARN.",
        (name, "database.peer_role_arn"),
        lambda answers: (
            own(answers) and answers.get(f"{name}_database_owner") != answers.get(f"{name}_account")
        ),
    )
    yield Question(
        f"{name}_database_secret",
        f"Secret with the login of {name}",
        "Its ARN; the text is JSON with username and password.",
        (name, "database.secret_arn"),
        own,
    )
    yield Question(
        f"{name}_database_network",
        f"Network of the database of {name}",
        "Its addresses; Atlas takes a /21 to a /24.",
        (name, "database.cidr"),
    )
    yield Question(
        f"{name}_cluster",
        f"Cluster of {name}",
        "Its address, as mongodb+srv://cluster.example.mongodb.net, without user and password.",
        (name, "database.uri"),
    )


def _answered(question: str, answer: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda answers: answers.get(question) == answer


def settings(answers: Mapping[str, str]) -> Settings:
    """Return what the answers set, the keys that follow from them included.

    Raises:
        ValueError: The first network is none, or leaves no room for two more.
    """
    chosen: Settings = {
        question.place: answers[question.name] if question.asked(answers) else None
        for question in questions()
    }
    networks = _networks(answers["network"])
    stripe = answers["payment_method"] in STRIPE
    own = answers["database"] == "own_cluster"
    for name, network in zip(PROMOTED, networks, strict=True):
        subnets = [
            str(subnet) for subnet, _ in zip(network.subnets(new_prefix=_SUBNET), range(3), strict=False)
        ]
        public = str(next(IPv4Network(subnets[2]).subnets(new_prefix=_PUBLIC))) if stripe else None
        chosen |= {
            (name, "region"): answers["region"],
            (name, "owner"): answers["owner"],
            (name, "payment_method"): answers["payment_method"],
            (name, "currency"): answers["currency"],
            (name, "network.vpc_cidr"): str(network),
            (name, "network.private_subnet_cidrs"): subnets[:2],
            (name, "network.zones"): [f"{answers['region']}{letter}" for letter in "ab"],
            (name, "network.public_subnet_cidr"): public,
            (name, "database.kind"): answers["database"],
            (name, "database.region"): answers["region"],
            (name, "database.authentication"): "SCRAM-SHA-256" if own else "MONGODB-AWS",
            (name, "database.tls"): True,
        }
    return chosen


def _networks(first: str) -> list[IPv4Network]:
    """Return the first network and the two of its size that follow it."""
    network = IPv4Network(first)
    size = network.num_addresses
    starts = [int(network.network_address) + number * size for number in range(len(PROMOTED))]
    return [IPv4Network((start, network.prefixlen)) for start in starts]
