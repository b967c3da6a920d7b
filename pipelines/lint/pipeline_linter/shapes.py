"""Holds a pipeline against the API's own model, and keeps of it what has the right shape.

botocore's model of CodePipeline says which keys there are, which are required, and what each value may be. So
a key that AWS adds is known as soon as botocore is updated, and rules may rely on the shape of what they get.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore.session

from pipelines.lint.pipeline_linter.values import is_function, literal, text

if TYPE_CHECKING:
    from pipelines.lint.pipeline_linter.values import Json

_TEMPLATES_OWN: Final = {"DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags"}
"""Properties of AWS::CodePipeline::Pipeline that are no part of the API's declaration."""
_ELSEWHERE: Final = {
    *("BeforeEntry", "OnFailure", "OnSuccess", "Conditions", "Rules", "Result", "RetryMode"),
    *("Category", "Owner", "Provider", "Version", "Configuration", "Commands", "TimeoutInMinutes"),
    *("EnvironmentVariables", "Namespace", "OutputVariables", "ExecutionMode", "PipelineType"),
    *("Variables", "DefaultValue", "Triggers", "Push", "PullRequest", "Includes", "Excludes"),
}
"""Keys whose values and numbers other rules judge, each with a better word for what is wrong."""
_ITEM: Final = "#"
"""The key of what is an entry of a list."""
_KINDS: Final = {"structure": "a mapping", "map": "a mapping", "list": "a list"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that has not the shape that AWS's model gives it.

    Attributes:
        rule: The rule that it breaks.
        place: The pipeline, and the stage, action and key in it.
        problem: What is wrong.
        fix: What to do about it.
    """

    rule: str
    place: str
    problem: str
    fix: str


@dataclass(slots=True)
class Shaped:
    """A declaration as far as it has the right shape.

    Attributes:
        raw: What is left of it.
        faults: What is wrong with the rest.
        unknown: Places that CloudFormation fills in, which hold what no rule can see.
    """

    raw: Json = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def shaped(name: str, declaration: object, *, in_template: bool) -> Shaped:
    """Return a pipeline's declaration, in CloudFormation's spelling, as far as it has the right shape."""
    result = Shaped()
    reader = _Reader(result, in_template=in_template)
    result.raw = reader.read(_model(), declaration, name, "")
    return result


@cache
def _model() -> Any:
    service = botocore.session.get_session().get_service_model("codepipeline")
    return service.shape_for("PipelineDeclaration")


class _Reader:
    def __init__(self, result: Shaped, *, in_template: bool) -> None:
        self._result = result
        self._in_template = in_template

    def read(self, shape: Any, value: Any, place: str, key: str) -> Any:
        """Return a value as far as it has its shape, and note what has not."""
        if shape.type_name in _KINDS and is_function(value):
            self._result.unknown.append(f"{place}: {key}" if key else place)
            return [] if shape.type_name == "list" else {}
        match shape.type_name:
            case "structure":
                return self._structure(shape, value, place, key)
            case "list":
                return self._list(shape, value, place, key)
            case "map":
                return self._map(value, place, key)
        return self._scalar(shape, value, place, key)

    def _structure(self, shape: Any, value: Any, place: str, key: str) -> Json:
        if not isinstance(value, dict):
            self._wrong_kind(shape, value, place, key)
            return {}
        members = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
        if shape.name == "PipelineDeclaration":
            members.pop("ArtifactStores")
        result: Json = {}
        filled_in = [name for name in value if name.startswith("Fn::")]
        self._result.unknown += [f"{place}: {name}" for name in filled_in]
        for name, inside in value.items():
            if name in members:
                result[name] = self.read(members[name], inside, place, name)
            elif name == "ArtifactStores" and shape.name == "PipelineDeclaration":
                result[name] = inside
            elif name not in filled_in and not (name in _TEMPLATES_OWN and not key):
                self._fault(
                    "P004", place, f"{name} is no key of it", f"It knows {', '.join(sorted(members))}"
                )
        required = {name[:1].upper() + name[1:] for name in shape.required_members}
        if self._in_template and not key:
            required -= {"Name"}
        for name in sorted(required - set(value)):
            if not filled_in:
                self._fault("P003", place, f"{name} is missing", f"Add {name}")
        return result

    def _list(self, shape: Any, value: Any, place: str, key: str) -> list[Any]:
        if not isinstance(value, list):
            self._wrong_kind(shape, value, place, key)
            return []
        self._number(shape, len(value), place, key)
        result: list[Any] = []
        for number, item in enumerate(value, start=1):
            inside = place
            if shape.member.type_name == "structure":
                named = text(item.get("Name")) if isinstance(item, dict) else None
                inside = f"{place} > {named or f'{key} {number}'}"
                if is_function(item):
                    self._result.unknown.append(inside)
                    result.append({})  # so that the next one stays the next one
                    continue
            before = len(self._result.faults)
            read = self.read(
                shape.member, item, inside, key if shape.member.type_name != "structure" else "#"
            )
            if inside != place or len(self._result.faults) == before:
                result.append(read)
        return result

    def _map(self, value: Any, place: str, key: str) -> Json:
        if not isinstance(value, dict):
            self._fault("P001", place, f"{key} is {_said(value)}, and must be a mapping", "Correct it")
            return {}
        for name, inside in value.items():
            if not name.startswith("Fn::") and not is_function(inside) and isinstance(inside, (dict, list)):
                fix = "Write it as text, as JSON in one line"
                self._fault("P011", place, f"{name} of {key} is {_said(inside)}, and must be text", fix)
        return {
            name: inside for name, inside in value.items() if text(inside) is not None or is_function(inside)
        }

    def _scalar(self, shape: Any, value: Any, place: str, key: str) -> Any:
        if is_function(value):
            return value
        if value is None or isinstance(value, (dict, list)):
            self._wrong_kind(shape, value, place, key)
            return None
        known = literal(value)
        if known is not None and key not in _ELSEWHERE:
            self._value(shape, known, place, key)
        return value

    def _value(self, shape: Any, value: str, place: str, key: str) -> None:
        if shape.type_name in {"integer", "long"}:
            if not re.fullmatch(r"-?\d{1,18}", value):
                self._fault("P001", place, f"{key} is {value!r}, and must be a whole number", "Correct it")
            else:
                self._number(shape, int(value), place, key)
            return
        metadata = shape.metadata
        if metadata.get("enum") and value not in metadata["enum"]:
            fix = f"Choose from {', '.join(metadata['enum'])}"
            self._fault("P005", place, f"{key} {value} does not exist", fix)
        pattern = metadata.get("pattern", ".*")
        if pattern != ".*" and not re.fullmatch(pattern, value):
            self._fault("P005", place, f"{key} {value!r} has signs that AWS refuses", f"Keep to {pattern}")
        else:
            self._number(shape, len(value), place, key)

    def _number(self, shape: Any, number: int, place: str, key: str) -> None:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if key in _ELSEWHERE or (least is None and most is None):
            return
        if number < (least or 0) or (most is not None and number > most):
            what = {"list": "entries", "string": "characters"}.get(shape.type_name, "")
            fix = f"Keep to {least or 0} to {most if most is not None else 'any number'}"
            self._fault("P005", place, f"{key} has {number} {what}" if what else f"{key} is {number}", fix)

    def _wrong_kind(self, shape: Any, value: Any, place: str, key: str) -> None:
        kind = _KINDS.get(shape.type_name, "a number" if shape.type_name == "integer" else "text")
        what = "it" if key in {"", _ITEM} else key
        self._fault("P001", place, f"{what} is {_said(value)}, and must be {kind}", "Correct it")

    def _fault(self, rule: str, place: str, problem: str, fix: str) -> None:
        self._result.faults.append(Fault(rule, place, problem, fix))


def _said(value: object) -> str:
    if value is None:
        return "nothing"
    return (
        "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"{value!r:.60}"
    )
