"""Names of things as the template resolves them, and whether a policy's resource means one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.values import literal, mapping, text

if TYPE_CHECKING:
    from pipelines.lint.pipeline_linter.values import Json

MADE_UP: Final = "${!"
"""How the name of a resource begins that CloudFormation makes up."""
_ACCOUNT: Final = "${AWS.Region}:${AWS.AccountId}"
_ARN: Final = "arn:${AWS.Partition}:"
AS_IT_IS: Final = "{}"
PROJECT: Final = f"{_ARN}codebuild:{_ACCOUNT}:project/{{}}"
FUNCTION: Final = f"{_ARN}lambda:{_ACCOUNT}:function:{{}}"
STACK: Final = f"{_ARN}cloudformation:{_ACCOUNT}:stack/{{}}/id"
BUCKET: Final = f"{_ARN}s3:::{{}}"
OBJECTS: Final = f"{BUCKET}/key"
_TOPIC: Final = f"{_ARN}sns:{_ACCOUNT}:{{}}"
_MACHINE: Final = f"{_ARN}states:{_ACCOUNT}:stateMachine:{{}}"
_ROLE: Final = f"{_ARN}iam::${{AWS.AccountId}}:role{{}}"

_NAMES: Final = {
    "AWS::CodeBuild::Project": ("Name", PROJECT, "{}"),
    "AWS::IAM::Role": ("RoleName", _ROLE, "{}"),
    "AWS::Lambda::Function": ("FunctionName", FUNCTION, "{}"),
    "AWS::S3::Bucket": ("BucketName", BUCKET, "{}"),
    "AWS::SNS::Topic": ("TopicName", _TOPIC, _TOPIC),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", _MACHINE, _MACHINE),
}
"""The property that names a resource of a type, its ARN, and what a Ref to it gives."""
_PLACEHOLDER: Final = re.compile(r"\$\{([^}!]*)\}")
_ARN_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Target:
    """What a permission must be on: a value of the template, and the form of the ARN around it."""

    value: object
    form: str


class Names:
    """The names in a template."""

    def __init__(self, resources: dict[str, Json]) -> None:
        """Remember the template's resources by logical id."""
        self._resources = resources

    def arn(self, target: Target) -> str | None:
        """Return a target's ARN, with `${Name}` where only CloudFormation knows; None if nobody can say."""
        name = self.resolved(target.value)
        if name is None:
            return None
        return (
            name if name.startswith("arn:") and target.form != AS_IT_IS else target.form.replace("{}", name)
        )

    def resolved(self, value: object) -> str | None:
        """Return a value as text, with the names of the template's own resources filled in."""
        as_text = text(value)
        return None if as_text is None else _PLACEHOLDER.sub(lambda match: self._filled(match[1]), as_text)

    def resource(self, target: Target) -> str | None:
        """Return the logical id of the template's resource that a target is, or is in."""
        arn = self.arn(target)
        if arn is None:
            return None
        for logical, resource in self._resources.items():
            own = self._own_arn(logical, resource)
            if own is not None and (covers(own, arn) or covers(f"{own}/key", arn)):
                return logical
        return None

    def _filled(self, name: str) -> str:
        logical, _, attribute = name.strip().partition(".")
        resource = self._resources.get(logical)
        if resource is None:
            return f"${{{name.replace('::', '.')}}}"  # a colon would look like the end of an ARN's part
        if attribute == "Arn":
            return self._own_arn(logical, resource) or f"${{{name}}}"
        _, _, by_ref = _NAMES.get(str(resource.get("Type")), ("", "", ""))
        if attribute or not by_ref:
            return f"${{{name}}}"
        return by_ref.replace("{}", self._own_name(logical, resource))

    def _own_arn(self, logical: str, resource: Json) -> str | None:
        _, form, _ = _NAMES.get(str(resource.get("Type")), ("", "", ""))
        return form.replace("{}", self._own_name(logical, resource)) if form else None

    def _own_name(self, logical: str, resource: Json) -> str:
        """Return a resource's physical name; one that CloudFormation makes up is `${!LogicalId}`."""
        kind, properties = str(resource.get("Type")), mapping(resource.get("Properties"))
        given = text(properties.get(_NAMES[kind][0]))
        name = f"${{!{logical}}}" if given is None else given
        if kind != "AWS::IAM::Role":
            return name
        return f"{literal(properties.get('Path')) or '/'}{name}"


def covers(pattern: str | None, arn: str | None) -> bool | None:
    """Return whether a policy's resource means an ARN; None where only CloudFormation knows."""
    if pattern == "*":
        return True
    if pattern is None or arn is None:
        return None
    parts, wanted = pattern.split(":", _ARN_PARTS - 1), arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or len(wanted) < _ARN_PARTS:
        return True if pattern == arn else _unless_filled_in(pattern, arn)
    if wanted[2] == "s3" and wanted[-1].endswith("/key"):
        bucket, slash, _ = parts[-1].partition("/")
        parts[-1] = f"{bucket}/*" if slash else parts[-1]  # a policy on some keys is a policy on artifacts
    answers = [_same(part, other) for part, other in zip(parts, wanted, strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def _same(pattern: str, name: str) -> bool | None:
    if fnmatchcase(name, pattern.replace("[", "[[]")):
        return True
    # A pseudo parameter is the account, region or partition that the template is deployed to.
    if _PLACEHOLDER.sub("", pattern) == "" != pattern or _PLACEHOLDER.sub("", name) == "" != name:
        return _pseudo(pattern) or _pseudo(name) or None
    return _unless_filled_in(pattern, name)


def _pseudo(part: str) -> bool:
    return part in {"${AWS.Partition}", "${AWS.Region}", "${AWS.AccountId}", ""}


def _unless_filled_in(pattern: str, name: str) -> bool | None:
    """Return that two names differ, unless CloudFormation fills in a part that may make them the same."""
    if _PLACEHOLDER.search(pattern) or _PLACEHOLDER.search(name):
        return None
    made_up = MADE_UP in name or MADE_UP in pattern
    return None if made_up and ("*" in pattern or "?" in pattern) else False
