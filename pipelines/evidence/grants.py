"""What the policies in a template allow and deny, one statement at a time, so that two templates compare.

It reads every policy document wherever it stands: of a role, a bucket, a key, an API, a topic, an endpoint.
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
        """Return whether it names everything, everyone or every action of a service."""
        everyone = self.who in {"*", "AWS: *"} and not self.condition
        return self.action.endswith("*") or everyone or (self.target == "*" and not self.condition)

    def __str__(self) -> str:
        """Return the grant in a few words."""
        who = f"{self.who} " if self.who else ""
        target = f" on {self.target}" if self.target else ""
        return f"{who}{self.action}{target}{' under a condition' if self.condition else ''}"


def of_template(template: Json) -> set[Grant]:
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
                yield from _of_statement(holder, statement)
        for inside in value.values():
            yield from _in_documents(holder, inside)


def _of_statement(holder: str, statement: Json) -> Iterator[Grant]:
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
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
