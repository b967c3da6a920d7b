"""Network openings of a template: security group rules, routes, public addresses and buckets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_RULES: Final = {
    "AWS::EC2::SecurityGroupIngress": "from",
    "AWS::EC2::SecurityGroupEgress": "to",
}
_INLINE: Final = {"SecurityGroupIngress": "from", "SecurityGroupEgress": "to"}
_OTHER_END: Final = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)
_OUTSIDE: Final = ("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId")
_PUBLIC: Final = {
    ("AWS::EC2::Subnet", "MapPublicIpOnLaunch"): "gives its hosts public addresses",
    ("AWS::Lambda::Url", "AuthType"): "answers at a public address",
    ("AWS::EC2::EIP", ""): "is a public address",
    ("AWS::EC2::InternetGateway", ""): "leads to the internet",
    ("AWS::EC2::NatGateway", ""): "lets hosts reach the internet",
}


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One network opening.

    Attributes:
        resource: The logical id of the resource.
        what: The opening in words.
        anywhere: Whether it leads to or from everywhere.
    """

    resource: str
    what: str
    anywhere: bool


def of_template(template: Json) -> set[Opening]:
    """Return every network opening of a template."""
    return {
        opening
        for name, resource in template.get("Resources", {}).items()
        for opening in _of_resource(name, resource["Type"], resource.get("Properties", {}))
    }


def _of_resource(name: str, kind: str, properties: Json) -> Iterator[Opening]:
    if kind in _RULES:
        yield _rule(name, _RULES[kind], properties)
    for key, direction in _INLINE.items():
        for rule in properties.get(key, []) if kind == "AWS::EC2::SecurityGroup" else []:
            yield _rule(name, direction, rule)
    if kind == "AWS::EC2::Route":
        yield _route(name, properties)
    for (public, key), words in _PUBLIC.items():
        if kind == public and (not key or _on(properties.get(key))):
            yield Opening(name, words, anywhere=True)
    if kind == "AWS::ApiGateway::RestApi":
        types = properties.get("EndpointConfiguration", {}).get("Types", ["EDGE"])
        if types != ["PRIVATE"]:
            yield Opening(
                name, f"is an API that answers outside of the VPC ({', '.join(types)})", anywhere=True
            )
    if kind == "AWS::S3::Bucket":
        yield from _bucket(name, properties)


def _rule(name: str, direction: str, rule: Json) -> Opening:
    end = next((rule[key] for key in _OTHER_END if key in rule), "anywhere")
    low, high = rule.get("FromPort", "all"), rule.get("ToPort", "all")
    ports = f"port {low}" if low == high and low not in {"all", -1} else f"ports {low} to {high}"
    if rule.get("IpProtocol") in {"-1", -1}:
        ports = "every port"
    return Opening(name, f"lets traffic {direction} {_text(end)} through on {ports}", end in _ANYWHERE)


def _route(name: str, properties: Json) -> Opening:
    to = properties.get("DestinationCidrBlock") or properties.get("DestinationIpv6CidrBlock") or "somewhere"
    by = next((key for key in _OUTSIDE if key in properties), "something")
    return Opening(name, f"routes {_text(to)} by its {by}", to in _ANYWHERE)


def _bucket(name: str, properties: Json) -> Iterator[Opening]:
    block = properties.get("PublicAccessBlockConfiguration", {})
    open_ones = [
        key
        for key in ("BlockPublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        if not _on(block.get(key))
    ]
    if open_ones:
        yield Opening(name, f"is a bucket without {', '.join(open_ones)}", anywhere=True)


def _on(value: Any) -> bool:
    return value is not None and str(value).lower() in {"true", "none"}  # AuthType NONE is public


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
