"""Answers put into the model's shape: what the model does not know is left out."""

from collections.abc import Callable
from typing import Any

from botocore.model import Shape

_WORDS = {"ExecutionSummary", "Message", "RevisionSummary", "StopPipelineExecutionReason"}


def shaped(shape: Shape | None, value: Any) -> Any:
    """Make `value` what a client that was generated from the model expects.

    Records may hold more than the API shows; that is dropped here, and so is what is empty and must not be.
    """
    if shape is None or value is None:
        return None
    shaper = _SHAPERS.get(shape.type_name)
    return shaper(shape, value) if shaper else value


def _structure(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: shaped(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None and not (value[name] == "" and member.metadata.get("min"))
    }


def _list(shape: Any, value: list[Any]) -> list[Any]:
    return [shaped(shape.member, member) for member in value]


def _map(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {key: shaped(shape.value, member) for key, member in value.items()}


def _text(shape: Any, value: str) -> str:
    """People's and tools' words may be longer than the model lets them be told; names and ids may not."""
    most = shape.metadata.get("max")
    return value[:most] if most and shape.name in _WORDS else value


def _whole(_shape: Any, value: float) -> int:
    return int(value)


_SHAPERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _text,
    "integer": _whole,
    "long": _whole,
}
