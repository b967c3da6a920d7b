"""What a house rule is, and how cfn-lint gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

PAGE: Final = "reference/house-rules.html"
"""The docs page that explains every rule under a heading that begins with its id."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place of a template that breaks a rule: the keys that lead to it, and what is wrong there."""

    path: tuple[str | int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class HouseRule:
    """A rule of the house.

    Attributes:
        rule_id: As `E9001`.
        title: The rule in a few words.
        why: What goes wrong without it, in a sentence.
        faults: Finds what breaks it in a template.
    """

    rule_id: str
    title: str
    why: str
    faults: Callable[[Json], Iterator[Fault]]


def for_cfn_lint(rule: HouseRule, template: Json) -> CloudFormationLintRule:
    """Return the rule as cfn-lint runs it, over the template as it is, before anything was filled in."""

    def match(*_: object) -> list[RuleMatch]:
        return [RuleMatch(list(fault.path), fault.message) for fault in rule.faults(template)]

    cfn_lint_rule: CloudFormationLintRule = type(
        rule.rule_id,
        (CloudFormationLintRule,),
        {
            "id": rule.rule_id,
            "shortdesc": rule.title,
            "description": rule.why,
            "source_url": f"{PAGE}#{rule.rule_id.lower()}",
            "tags": ["house"],
            "match": match,
        },
    )()
    return cfn_lint_rule


def resources(template: Json, *kinds: str) -> Iterator[tuple[str, Json]]:
    """Yield the resources {Type, Properties, …} of some types, or of all, with their logical ids."""
    for name, resource in template.get("Resources", {}).items():
        if isinstance(resource, dict) and (not kinds or resource.get("Type") in kinds):
            yield name, resource


def properties(template: Json, *kinds: str) -> Iterator[tuple[str, Json]]:
    """Yield the properties of the resources of some types by logical id."""
    for name, resource in resources(template, *kinds):
        yield name, resource.get("Properties", {})


def strings(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every string in a value with the keys that lead to it; keys themselves are no strings."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from strings(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from strings(inside, (*path, index))
    elif isinstance(value, str):
        yield path, value


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and any other value as a list of one."""
    return value if isinstance(value, list) else [value]
