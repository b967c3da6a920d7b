"""What the roles of a template allow, as far as the template says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.values import Json, listed, logical_id, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLICIES: Final = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the template, with the statements of all its policies.

    Attributes:
        statements: What they say.
        complete: Whether these are all; a role with policies from elsewhere may do more.
    """

    statements: tuple[Json, ...]
    complete: bool


def role_of(resources: dict[str, Json], arn: object) -> Role | None:
    """The role that an ARN names, or none where it is not a role of this template."""
    name = logical_id(arn)
    resource = resources.get(name or "", {})
    if name is None or resource.get("Type") != "AWS::IAM::Role":
        return None
    properties = resource.get("Properties") or {}
    documents = [policy.get("PolicyDocument") or {} for policy in listed(properties.get("Policies"))]
    documents += _attached(resources, name)
    complete = True
    for managed in listed(properties.get("ManagedPolicyArns")):
        policy = resources.get(logical_id(managed) or "", {})
        complete = complete and policy.get("Type") == "AWS::IAM::ManagedPolicy"
        documents.append((policy.get("Properties") or {}).get("PolicyDocument") or {})
    statements = [one for document in documents for one in listed(document.get("Statement"))]
    return Role(tuple(statements), complete)


def allows(role: Role, action: str, target: object) -> bool | None:
    """Whether a role may do something to a thing; None where the template cannot say.

    Args:
        role: The role.
        action: As `codebuild:StartBuild`.
        target: What it is done to, as the template names it; None where it does not matter.
    """
    if any(_matches(statement, action) and _covers(statement, target) for statement in role.statements):
        return True
    return False if role.complete else None


def _attached(resources: dict[str, Json], role: str) -> Iterator[Json]:
    for resource in resources.values():
        if resource.get("Type") in _POLICIES:
            properties = resource.get("Properties") or {}
            named = [*listed(properties.get("Roles")), properties.get("RoleName")]
            if any(logical_id(one) == role for one in named):
                yield properties.get("PolicyDocument") or {}


def _matches(statement: Json, action: str) -> bool:
    if text(statement.get("Effect")) != "Allow":
        return False
    if "NotAction" in statement:
        return not _any(statement["NotAction"], action)
    return _any(statement.get("Action"), action)


def _any(patterns: object, action: str) -> bool:
    return any(fnmatchcase(action.lower(), (text(one) or "").lower()) for one in listed(patterns))


def _covers(statement: Json, target: object) -> bool:
    """Whether a statement's resources may mean the target: it names it, or is wide, or nobody can say."""
    name = logical_id(target)
    if name is None:
        return True
    resources = listed(statement.get("Resource"))
    literals = [one for one in resources if isinstance(one, str)]
    mentioned = any(logical_id(one) == name for one in resources)
    written = json.dumps([one for one in resources if isinstance(one, dict)])
    return (
        mentioned or any("*" in one for one in literals) or f'"{name}"' in written or f"${{{name}" in written
    )
