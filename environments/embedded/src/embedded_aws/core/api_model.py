"""Requests and answers held against botocore's service model; problems in AWS's own words.

botocore's own validator leaves patterns, enums and maximum lengths to the service; the service is us.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from embedded_aws.core.api import Json

_WORDS = {"ExecutionSummary", "Message", "RevisionSummary", "StopPipelineExecutionReason"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}


@cache
def service_model(name: str) -> ServiceModel:
    """Load the model that boto3 and the `aws` command use."""
    return botocore.session.get_session().get_service_model(name)


def problems(operation: OperationModel, request: Json) -> list[str]:
    """Say everything that is wrong with a request, in AWS's words; nothing when it is right."""
    if operation.input_shape is None:
        return []
    return list(_structure(operation.input_shape, request, ""))


def broken_promises(operation: OperationModel, answer: Json) -> list[str]:
    """Say where an answer is not what the model promises to those who read it.

    Empty lists are: AWS answers with them where its own model asks for a member.
    """
    checked: Json = _without_empty_lists(answer)
    return [] if operation.output_shape is None else list(_structure(operation.output_shape, checked, ""))


def _without_empty_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty_lists(member) for key, member in value.items() if member != []}
    return [_without_empty_lists(member) for member in value] if isinstance(value, list) else value


def message(problem_texts: list[str]) -> str:
    """Put several problems into one message, as AWS does."""
    plural = "s" if len(problem_texts) > 1 else ""
    return f"{len(problem_texts)} validation error{plural} detected: {'; '.join(problem_texts)}"


def _check(shape: Shape, value: Any, path: str) -> Iterator[str]:
    expected = _TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be of type {shape.type_name}"
        return
    yield from _bounds(shape, value, path)
    inner = _INNER.get(shape.type_name)
    if inner:
        yield from inner(shape, value, path)


def _structure(shape: Shape, value: Json, path: str) -> Iterator[str]:
    members: dict[str, Shape] = getattr(shape, "members", {})
    for name in getattr(shape, "required_members", []):
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in value.items():
        if name in members and member is not None:  # AWS ignores what its model does not know
            yield from _check(members[name], member, _join(path, name))


def _list(shape: Shape, value: list[Any], path: str) -> Iterator[str]:
    for number, member in enumerate(value, 1):
        yield from _check(shape.member, member, f"{path}.{number}.member")  # type: ignore[attr-defined] # a ListShape


def _map(shape: Shape, value: Json, path: str) -> Iterator[str]:
    for key, member in value.items():
        yield from _check(shape.key, key, f"{path}.{key}.key")  # type: ignore[attr-defined] # a MapShape
        yield from _check(shape.value, member, f"{path}.{key}.member")  # type: ignore[attr-defined] # a MapShape


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _broken(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    choices = getattr(shape, "enum", [])
    if choices and value not in choices:
        yield _broken(value, path, f"Member must satisfy enum value set: [{', '.join(choices)}]")


_INNER: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
}


def _bounds(shape: Shape, value: Any, path: str) -> Iterator[str]:
    sized = isinstance(value, str | list | dict)
    size = len(value) if sized else value
    what = "have length" if sized else "have value"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in {"structure", "timestamp", "boolean"}:
        return
    if least is not None and size < least:
        yield _broken(value, path, f"Member must {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _broken(value, path, f"Member must {what} less than or equal to {most}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:  # a Java expression that Python does not read; AWS will tell
        return True


def _broken(value: Any, path: str, rule: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {rule}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def shaped(shape: Shape | None, value: Any) -> Any:
    """Make `value` what a client that was generated from the model expects.

    Records may hold more than the API shows; that is dropped here, and so is what is empty and must not be.
    """
    if shape is None or value is None:
        return None
    shaper = _SHAPERS.get(shape.type_name)
    return shaper(shape, value) if shaper else value


def _shaped_structure(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: shaped(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None and not (value[name] == "" and member.metadata.get("min"))
    }


def _shaped_list(shape: Any, value: list[Any]) -> list[Any]:
    return [shaped(shape.member, member) for member in value]


def _shaped_map(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {key: shaped(shape.value, member) for key, member in value.items()}


def _shaped_text(shape: Any, value: str) -> str:
    """People's and tools' words may be longer than the model lets them be told; names and ids may not."""
    most = shape.metadata.get("max")
    return value[:most] if most and shape.name in _WORDS else value


def _shaped_integer(_shape: Any, value: float) -> int:
    return int(value)


_SHAPERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _shaped_structure,
    "list": _shaped_list,
    "map": _shaped_map,
    "string": _shaped_text,
    "integer": _shaped_integer,
    "long": _shaped_integer,
}
