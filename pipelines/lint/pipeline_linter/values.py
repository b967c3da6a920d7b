"""Values as templates write them, literal or with functions; and whether a policy's resource means one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_PAIR: Final = 2
_VARIABLE: Final = re.compile(r"#\{([^}]*)\}")
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]*)\}")


def is_function(value: object) -> bool:
    """Return whether a value is one function of CloudFormation's, as `{"Ref": "Name"}`."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    [name] = value
    return name in {"Ref", "Condition"} or name.startswith("Fn::")


def text(value: object) -> str | None:
    """Return a value as text, with what CloudFormation fills in as `${Name}`; None where nobody can say."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, dict) and len(value) == 1:
        [(function, argument)] = value.items()
        return _function_text(function, argument)
    return None


def _function_text(function: str, argument: Any) -> str | None:
    match function, argument:
        case "Ref" | "Fn::GetAtt", str():
            return f"${{{argument}}}"
        case "Fn::GetAtt", [str() as resource, str() as attribute]:
            return f"${{{resource}.{attribute}}}"
        case "Fn::Sub", str():
            return argument
        case "Fn::Sub", [str() as template, dict() as values]:
            return _substituted(template, values)
        case "Fn::Join", [str() as separator, list() as parts]:
            texts = [text(part) for part in parts]
            return None if None in texts else separator.join(part for part in texts if part is not None)
    return None


def _substituted(template: str, values: Json) -> str | None:
    """Return Fn::Sub's text with its own variables filled in; None where one of them cannot be said."""
    known = {name: text(value) for name, value in values.items()}

    def fill(match: re.Match[str]) -> str:
        name = match[2].strip()
        return str(known[name]) if not match[1] and name in known else match[0]

    used = {match[2].strip() for match in _PLACEHOLDER.finditer(template) if not match[1]}
    if any(known[name] is None for name in used & set(known)):
        return None
    return _PLACEHOLDER.sub(fill, template)


def literal(value: object) -> str | None:
    """Return a value as text if neither CloudFormation nor CodePipeline fills in any of it."""
    as_text = text(value)
    return None if as_text is None or "${" in as_text or "#{" in as_text else as_text


def variables(value: object) -> Iterator[str]:
    """Yield every `#{…}` inside a value, at any depth, without its braces."""
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, (list, dict)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from variables(inside)


def logical_id(value: object) -> str | None:
    """Return the resource or parameter that a Ref, a GetAtt or a Sub of nothing else names."""
    match = re.fullmatch(r"\$\{([A-Za-z0-9]+)(\.[^}]*)?\}", text(value) or "")
    return match[1] if match else None


def listed(value: object) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and any other value as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mappings(value: object) -> list[Json]:
    """Return the mappings {…} among the entries of a list, or a mapping as a list of one."""
    return [entry for entry in listed(value) if isinstance(entry, dict)]


def mapping(value: object) -> Json:
    """Return a mapping as it is, and anything else as `{}`."""
    return value if isinstance(value, dict) else {}


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
_SUBSTITUTED: Final = re.compile(r"\$\{([^}!]*)\}")
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
        return None if as_text is None else _SUBSTITUTED.sub(lambda match: self._filled(match[1]), as_text)

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
    if _SUBSTITUTED.sub("", pattern) == "" != pattern or _SUBSTITUTED.sub("", name) == "" != name:
        return _pseudo(pattern) or _pseudo(name) or None
    return _unless_filled_in(pattern, name)


def _pseudo(part: str) -> bool:
    return part in {"${AWS.Partition}", "${AWS.Region}", "${AWS.AccountId}", ""}


def _unless_filled_in(pattern: str, name: str) -> bool | None:
    """Return that two names differ, unless CloudFormation fills in a part that may make them the same."""
    if _SUBSTITUTED.search(pattern) or _SUBSTITUTED.search(name):
        return None
    made_up = MADE_UP in name or MADE_UP in pattern
    return None if made_up and ("*" in pattern or "?" in pattern) else False
