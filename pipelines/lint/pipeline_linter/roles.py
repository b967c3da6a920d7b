"""What the roles of a template may do, as far as the template says."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.values import (
    AS_IT_IS,
    MADE_UP,
    Json,
    Names,
    Target,
    covers,
    listed,
    mapping,
    mappings,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_POLICIES: Final = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}
_ANYBODY_PUTS: Final = "PublicReadWrite"
"""The access control list of a bucket that everybody may write to (S3 user guide, "Canned ACL")."""
_OF_RESOURCES: Final = {"AWS::S3::BucketPolicy": "Bucket", "AWS::SNS::TopicPolicy": "Topics"}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the template, with the statements of all its policies.

    Attributes:
        name: Its logical id.
        statements: What they say.
        complete: Whether these are all; a role with policies from elsewhere may do more.
    """

    name: str
    statements: tuple[Json, ...]
    complete: bool


class Permissions:
    """The permissions that a template gives."""

    def __init__(self, resources: dict[str, Json]) -> None:
        """Remember the template's resources by logical id."""
        self._resources = resources
        self._names = Names(resources)

    def role(self, arn: object) -> Role | None:
        """Return the role that an ARN names; none where it is no role of this template."""
        name = self._names.resource(Target(arn, AS_IT_IS))
        resource = self._resources.get(name or "", {})
        if name is None or resource.get("Type") != "AWS::IAM::Role":
            return None
        properties = mapping(resource.get("Properties"))
        inline = listed(properties.get("Policies"))
        documents = [mapping(policy.get("PolicyDocument")) for policy in mappings(inline)]
        documents += self._attached(name)
        complete = all("PolicyDocument" in mapping(policy) for policy in inline)
        for managed in listed(properties.get("ManagedPolicyArns")):
            policy = self._resources.get(_logical(managed), {})
            complete = complete and policy.get("Type") == "AWS::IAM::ManagedPolicy"
            documents.append(mapping(mapping(policy.get("Properties")).get("PolicyDocument")))
        return Role(name, tuple(_statements(documents)), complete)

    def may(self, role: Role, names: Iterable[str], target: Target | None) -> bool | None:
        """Return whether a role may do one of some things, by its own policies or by the target's."""
        open_names = [name for name in names if not self._denies(role, name, target)]
        answers = [self.allows(role, name, target) for name in open_names]
        if True in answers or None in answers:
            return True in answers or None
        return self._granted_by_target(role, open_names, target) if open_names and target else False

    def allows(self, role: Role, action: str, target: Target | None) -> bool | None:
        """Return whether a role's own policies let it do something to a thing; None where nobody can say.

        Args:
            role: The role.
            action: As `codebuild:StartBuild`.
            target: What it is done to; None where any will do.
        """
        if self._denies(role, action, target):
            return False
        answers: list[bool | None] = []
        for statement in role.statements:
            answer = _both(_acts(statement, action), self._covers(statement, target))
            effect = text(statement.get("Effect"))
            if effect == "Allow":
                answers.append(answer)
            elif effect != "Deny" and answer is not False:
                answers.append(None)
        if True in answers:
            return True
        return None if None in answers or not role.complete else False

    def trusts(self, role: Role, service: str) -> bool | None:
        """Return whether a service may take a role on, as `codepipeline.amazonaws.com`; None if unsaid."""
        trust = mapping(mapping(self._resources[role.name].get("Properties")).get("AssumeRolePolicyDocument"))
        answers: list[bool | None] = []
        for statement in mappings(trust.get("Statement")):
            principal = statement.get("Principal")
            among = listed(principal.get("Service")) if isinstance(principal, dict) else [principal]
            names = [text(name) for name in among]
            named = True if {service, "*"} & set(names) else None if _unknown(names) else False
            if text(statement.get("Effect")) == "Allow":
                answers.append(_both(_acts(statement, "sts:AssumeRole"), named))
        unread = not isinstance(trust.get("Statement"), (list, dict))
        return True if True in answers else None if None in answers or unread else False

    def _denies(self, role: Role, action: str, target: Target | None) -> bool:
        """Return whether a statement denies an action for certain: on the target, or on everything."""
        return any(
            text(statement.get("Effect")) == "Deny"
            and "Condition" not in statement
            and _acts(statement, action) is True
            and (target is not None or "*" in listed(statement.get("Resource")))
            and self._covers(statement, target) is True
            for statement in role.statements
        )

    def holds(self, target: Target | None) -> bool:
        """Return whether a target is a resource of this template."""
        return target is not None and self._names.resource(target) is not None

    def _covers(self, statement: Json, target: Target | None) -> bool | None:
        if target is None:
            return True
        arn = self._names.arn(target)
        key = "NotResource" if "NotResource" in statement else "Resource"
        answers = [covers(self._names.resolved(value), arn) for value in listed(statement.get(key))]
        answer = True if True in answers else None if None in answers else False
        return (None if answer is None else not answer) if key == "NotResource" else answer

    def _attached(self, role: str) -> Iterator[Json]:
        names = {role, text(mapping(self._resources[role].get("Properties")).get("RoleName")) or role}
        for resource in self._resources.values():
            if resource.get("Type") in _POLICIES:
                properties = mapping(resource.get("Properties"))
                attached_to = [*listed(properties.get("Roles")), properties.get("RoleName")]
                if any(
                    _logical(name) in names or text(name) in names - {None} for name in attached_to if name
                ):
                    yield mapping(properties.get("PolicyDocument"))

    def _granted_by_target(self, role: Role, names: list[str], target: Target) -> bool | None:
        """Return whether a policy of the target itself lets a role do something, within one account."""
        held = self._names.resource(target)
        resource = self._resources.get(held or "", {})
        if resource.get("Type") == "AWS::IAM::Role":
            trust = mapping(mapping(resource.get("Properties")).get("AssumeRolePolicyDocument"))
            return self._granted(role, names, mappings(trust.get("Statement")))
        if (
            "s3:PutObject" in names
            and mapping(resource.get("Properties")).get("AccessControl") == _ANYBODY_PUTS
        ):
            return None  # where its access control lists are in force, which a new bucket's are not
        for policy in self._resources.values():
            key = _OF_RESOURCES.get(str(policy.get("Type")))
            properties = mapping(policy.get("Properties"))
            if key and any(_logical(value) == held for value in listed(properties.get(key))):
                statements = mappings(mapping(properties.get("PolicyDocument")).get("Statement"))
                answer = self._granted(role, names, statements)
                if answer is not False:
                    return answer
        return False

    def _granted(self, role: Role, names: list[str], statements: list[Json]) -> bool | None:
        answers = []
        for statement in statements:
            if text(statement.get("Effect")) == "Allow" and any(_acts(statement, name) for name in names):
                principal = statement.get("Principal")
                among = listed(principal.get("AWS")) if isinstance(principal, dict) else [principal]
                answers += [self._is(role, value) for value in among]
        return True if True in answers else None if None in answers else False

    def _is(self, role: Role, principal: object) -> bool | None:
        resolved = self._names.resolved(principal)
        if resolved == "*":
            return True
        if resolved is not None and (resolved.endswith(":root") or resolved.isdecimal()):
            return False  # the account leaves it to its own policies
        own = self._names.arn(Target({"Fn::GetAtt": [role.name, "Arn"]}, AS_IT_IS)) or ""
        if resolved is not None and MADE_UP in own and MADE_UP not in resolved:
            return False  # whoever fills in a parameter does not know yet what this role will be called
        return covers(resolved, own)


def _unknown(names: list[str | None]) -> bool:
    return any(name is None or "${" in name for name in names)


def _statements(documents: Iterable[Json]) -> Iterator[Json]:
    for document in documents:
        yield from mappings(document.get("Statement"))


def _logical(value: object) -> str:
    as_text = text(value) or ""
    return as_text.removeprefix("${").removesuffix("}").partition(".")[0] if as_text.startswith("${") else ""


def _acts(statement: Json, action: str) -> bool | None:
    """Return whether a statement is about an action."""
    key = "NotAction" if "NotAction" in statement else "Action"
    patterns = [text(pattern) for pattern in listed(statement.get(key))]
    if any(pattern is not None and fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns):
        return key == "Action"
    if any(pattern is None or "${" in pattern for pattern in patterns):
        return None
    return key == "NotAction"


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True
