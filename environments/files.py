"""Environment files before they are checked, and what is wrong with them, said with file, key and rule.

YAML that says a key twice is refused, where PyYAML would keep the last of the two in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: the dotted key ("" for the whole file) and what it should have been."""

    key: str
    rule: str


class EnvironmentInvalid(ValueError):  # noqa: N818 - errors here are named for what happened, as AWS's are
    """An environment file breaks one or more rules; the message has one line for each."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(": ".join(filter(None, (file, p.key, p.rule))) for p in self.problems))


_OURS = {"missing": "is required", "extra_forbidden": "is not a known key"}


def problems_of(error: ValidationError) -> list[Problem]:
    """Turn pydantic's errors into ours: dotted keys, and the value only where it cannot be a secret."""
    problems = []
    for detail in error.errors(include_url=False):
        key = ".".join(str(part) for part in detail["loc"])
        value = detail["input"]
        rule = _OURS.get(detail["type"]) or _sentence(detail["msg"])
        if detail["type"] == "string_type" and isinstance(value, int):
            rule = "is text, so write it in quotes"
        shown = (
            isinstance(value, (str, int, float, bool))
            and not key.endswith("uri")
            and not key.startswith("stripe")
        )
        complete = detail["type"] in {*_OURS, "value_error"} or not shown
        problems.append(Problem(key, rule if complete else f"{rule}, not {value!r}"))
    return problems


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


class _Loader(yaml.SafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is said twice", key.start_mark)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(text: str) -> object:
    """Return what a YAML document says, with SafeLoader's types.

    Raises:
        yaml.YAMLError: it is not YAML, or a mapping says a key twice.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader


def value_at(raw: dict[Any, Any], part: str, key: str) -> object:
    """Return `part.key` of a file, None where it is not there."""
    inside = raw.get(part)
    return inside.get(key) if isinstance(inside, dict) else None
