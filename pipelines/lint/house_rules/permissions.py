"""E9010 and E9011: no wildcard action, and every statement of a role says why it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, as_list, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json

_Place = tuple[str | int, ...]
_GRANTING: Final = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def _statements(name: str, resource: Json) -> Iterator[tuple[_Place, Json]]:
    """Yield each statement of a resource's policies, of every kind but the trust, with its place."""
    unread: list[tuple[_Place, object]] = [
        (("Resources", name, "Properties"), resource.get("Properties", {})),
    ]
    while unread:
        path, value = unread.pop()
        if isinstance(value, dict):
            if "Statement" in value and path[-1] != "AssumeRolePolicyDocument":
                for index, statement in enumerate(as_list(value["Statement"])):
                    yield (*path, "Statement", index), statement
            else:
                unread += [((*path, key), inside) for key, inside in value.items()]
        elif isinstance(value, list):
            unread += [((*path, index), inside) for index, inside in enumerate(value)]


def _wildcards(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template):
        for path, statement in _statements(name, resource):
            if statement.get("Effect") != "Allow":
                continue  # a denial of everything is the narrowest there is
            for key in ("NotAction", "NotResource", "NotPrincipal"):
                if key in statement:
                    yield Fault((*path, key), f"{key} allows what nobody has thought of yet")
            for action in as_list(statement.get("Action", [])):
                if "*" in str(action):
                    yield Fault((*path, "Action"), f"{action} allows what AWS has not invented yet")


def _unexplained(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template, *_GRANTING):
        reasons = resource.get("Metadata", {}).get("Permissions", {})
        for path, statement in _statements(name, resource):
            if statement.get("Effect") != "Allow":
                continue
            reason = reasons.get(statement.get("Sid"), "")
            if not reason:
                yield Fault(path, f"Metadata.Permissions does not say why {statement.get('Sid')} is there")
            elif "*" in as_list(statement.get("Resource")) and "*" not in reason:
                yield Fault(path, f"the reason of {statement['Sid']} does not say why its resource is *")


NO_WILDCARDS: Final = HouseRule(
    "E9010",
    "No statement allows a wildcard action",
    "It allows what the service learns next year, to whoever holds the role.",
    _wildcards,
)
REASONS: Final = HouseRule(
    "E9011",
    "Every statement of a role says why it is there",
    "A permission without a reason is never taken away again; one on * has to say why nothing is narrower.",
    _unexplained,
)
