"""What a template lets in: the grants of its policies and its network openings, so that two compare.

Every policy document is read wherever it stands: of a role, a bucket, a key, an API, a topic, an endpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_BOUNDARY: Final = "PermissionsBoundary"
_MANAGED: Final = "ManagedPolicyArns"
_INVOKE: Final = "AWS::Lambda::Permission"
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_RULES: Final = {"AWS::EC2::SecurityGroupIngress": "from", "AWS::EC2::SecurityGroupEgress": "to"}
_INLINE: Final = {"SecurityGroupIngress": "from", "SecurityGroupEgress": "to"}
_OTHER_END: Final = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)
UNSCOPED: Final = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeNetworkInterfaces",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that IAM knows no resource for: only `*` can be named (Service Authorization Reference)."""
_OUTSIDE: Final = ("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId")
_PUBLIC: Final = {
    ("AWS::EC2::Subnet", "MapPublicIpOnLaunch"): "gives its hosts public addresses",
    ("AWS::Lambda::Url", "AuthType"): "answers at a public address",
    ("AWS::EC2::EIP", ""): "is a public address",
    ("AWS::EC2::InternetGateway", ""): "leads to the internet",
    ("AWS::EC2::NatGateway", ""): "lets hosts reach the internet",
}


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action that a policy allows or denies.

    Attributes:
        holder: The logical id of the resource that the policy is on.
        effect: Allow or Deny.
        action: As `s3:GetObject`.
        target: What it may be done to.
        who: Who may do it, in a resource's or a trust policy; else nobody is named.
        condition: When.
    """

    holder: str
    effect: str
    action: str
    target: str
    who: str = ""
    condition: str = ""

    @property
    def wide(self) -> bool:
        """Return whether it names everything, everyone or every action of a service.

        In the policy of a key or a bucket, which says who, `*` is that resource alone.
        """
        everyone = self.who in {"*", "AWS: *"} and not self.condition
        scoped = self.target != "*" or bool(self.condition or self.who) or self.action in UNSCOPED
        return self.action.endswith("*") or everyone or not scoped

    def __str__(self) -> str:
        """Return the grant in a few words."""
        who = f"{self.who} " if self.who else ""
        target = f" on {self.target}" if self.target else ""
        return f"{who}{self.action}{target}{' under a condition' if self.condition else ''}"


def grants_of(template: Json) -> set[Grant]:
    """Return every grant of a template's policies."""
    grants: set[Grant] = set()
    for name, resource in template.get("Resources", {}).items():
        properties = resource.get("Properties", {})
        grants.update(_in_documents(name, properties))
        grants.update(
            Grant(name, "Allow", "everything in", _text(arn)) for arn in _list(properties.get(_MANAGED))
        )
        if resource.get("Type") == _INVOKE:
            grants.add(_invocation(name, properties))
    return grants


def boundaries(template: Json) -> set[tuple[str, str]]:
    """Return each role that has a permissions boundary, with the boundary."""
    resources = template.get("Resources", {}).items()
    return {
        (name, _text(resource["Properties"][_BOUNDARY]))
        for name, resource in resources
        if _BOUNDARY in resource.get("Properties", {})
    }


def _invocation(name: str, properties: Json) -> Grant:
    who, target = _text(properties.get("Principal", "*")), _text(properties.get("FunctionName", "*"))
    return Grant(
        name, "Allow", str(properties.get("Action", "*")), target, who, _text(properties.get("SourceArn", ""))
    )


def _in_documents(holder: str, value: Any) -> Iterator[Grant]:
    if isinstance(value, list):
        for inside in value:
            yield from _in_documents(holder, inside)
    elif isinstance(value, dict):
        for statement in _list(value.get("Statement")):
            if isinstance(statement, dict) and "Effect" in statement:
                yield from _grants_of_statement(holder, statement)
        for inside in value.values():
            yield from _in_documents(holder, inside)


def _grants_of_statement(holder: str, statement: Json) -> Iterator[Grant]:
    inverted = "NotAction" in statement
    actions = _list(statement.get("NotAction" if inverted else "Action", "*"))
    targets = _list(statement.get("Resource", statement.get("NotResource", "")))
    condition = _text(statement["Condition"]) if "Condition" in statement else ""
    for action in actions:
        for target in targets or [""]:
            for who in _principals(statement):
                named = f"everything but {action}*" if inverted else str(action)
                yield Grant(holder, statement["Effect"], named, _text(target), who, condition)


def _principals(statement: Json) -> list[str]:
    principal = statement.get("Principal", "")
    if isinstance(principal, dict) and not any(key.startswith(("Fn::", "Ref")) for key in principal):
        return [f"{kind}: {_text(name)}" for kind, names in principal.items() for name in _list(names)]
    return [_text(principal)]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """Return a value in a line; what CloudFormation fills in is written as `${Name}`."""
    match value:
        case str(text) | {"Fn::Sub": str(text)}:
            return text
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(map(_text, parts))
        case {"Fn::ImportValue": name}:
            return f"${{imported {_text(name)}}}"
    return json.dumps(value, sort_keys=True)


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


def openings_of(template: Json) -> set[Opening]:
    """Return every network opening of a template."""
    return {
        opening
        for name, resource in template.get("Resources", {}).items()
        for opening in _openings_of_resource(name, resource["Type"], resource.get("Properties", {}))
    }


def _openings_of_resource(name: str, kind: str, properties: Json) -> Iterator[Opening]:
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
