"""What is wrong with an environment file, said with file, key and rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
