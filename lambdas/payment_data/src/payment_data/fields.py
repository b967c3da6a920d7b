"""Declarative types of request fields: each validates strictly and describes itself as JSON Schema.

Strict: nothing is converted, `true` and `1.0` are no integers, unknown keys are refused. A rule is a sentence
that never repeats the value, which may be personal data. An id is safe as a MongoDB map key, a URL path
segment and an execution's name.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from payment_data.errors import FieldError, InvalidRequest, Problem

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
ID_RULE = "must be text of 1 to 64 letters, digits, '-' or '_'"
_ID = re.compile(ID_PATTERN)
LINE = r"^[^\x00-\x1f\x7f]*$"
"""Text of one line: no control characters."""
LINES = r"^[^\x00]*$"
"""Text of any number of lines."""
# UTF-8 and BSON cannot hold lone surrogates. Not part of the patterns: most engines that read them know none.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_REPORTED = 20
_SHOWN = 64


class Field(Protocol):
    """A type that a value of JSON may have."""

    def check(self, value: object, at: str) -> Iterator[FieldError]:
        """Yield each broken rule; `at` is the value's place, like `lines[0].quantity`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the same rules."""


def validate(kind: Field, value: object, at: str = "body", problem: type[Problem] = InvalidRequest) -> None:
    """Raise `problem` naming every broken rule (at most 20), or return.

    Raises:
        Problem: The value breaks a rule; of the class that `problem` names.
    """
    if errors := list(islice(kind.check(value, at), _REPORTED)):
        raise problem(f"{len(errors)} field(s) break a rule", errors)


@dataclass(frozen=True, slots=True)
class Text:
    """A string; lengths in characters."""

    longest: int
    shortest: int = 0
    pattern: str = LINE
    rule: str = ""
    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            yield FieldError(at, self.rule or f"must be text of {self.shortest} to {self.longest} characters")
        elif not re.fullmatch(self.pattern, value) or _SURROGATE.search(value):
            yield FieldError(at, self.rule or "must not hold control characters")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        return _described(
            {
                "type": "string",
                "minLength": self.shortest,
                "maxLength": self.longest,
                "pattern": self.pattern,
            },
            self.description,
        )


def is_id(value: object) -> bool:
    """Return whether the value may be an order, user or product id; never raises, whatever JSON it is."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def record_id(execution_name: str) -> str:
    """Return the id to record a failure under when an execution has no valid order id.

    The execution's name, or a digest of it where the name holds what an id may not.
    """
    if is_id(execution_name):
        return execution_name
    digest = hashlib.sha256(execution_name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"execution-{digest[:40]}"


def identifier(description: str) -> Text:
    """Return the type of an order, user or product id."""
    return Text(64, 1, ID_PATTERN, ID_RULE, description)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within bounds, both included."""

    minimum: int
    maximum: int
    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if isinstance(value, bool) or not isinstance(value, int) or not self.minimum <= value <= self.maximum:
            yield FieldError(at, f"must be an integer from {self.minimum} to {self.maximum}")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        bounds = {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        return _described(bounds, self.description)


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if not isinstance(value, bool):
            yield FieldError(at, "must be true or false")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        return _described({"type": "boolean"}, self.description)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    choices: Collection[str]
    rule: str = ""
    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if not isinstance(value, str) or value not in self.choices:
            yield FieldError(at, self.rule or f"must be one of {', '.join(self.choices)}")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        return _described({"type": "string", "enum": list(self.choices)}, self.description)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment in UTC, RFC 3339, like 2026-11-23T06:21:00.000Z."""

    description: str = ""
    pattern: str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|\+00:00)$"

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        try:
            if isinstance(value, str) and re.fullmatch(self.pattern, value):
                datetime.fromisoformat(value)
                return
        except ValueError:
            pass  # February 30 has the form and is no day
        yield FieldError(at, "must be an RFC 3339 time in UTC like 2026-01-31T12:00:00Z")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        return _described(
            {"type": "string", "format": "date-time", "pattern": self.pattern}, self.description
        )


@dataclass(frozen=True, slots=True)
class Array:
    """A list of one type; `unique` names the item's key that no two items may share."""

    item: Field
    shortest: int
    longest: int
    unique: str = ""
    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if not isinstance(value, list) or not self.shortest <= len(value) <= self.longest:
            yield FieldError(at, f"must be a list of {self.shortest} to {self.longest} items")
            return
        for index, item in enumerate(value):
            yield from self.item.check(item, f"{at}[{index}]")
        if self.unique:
            yield from self._repeated(value, at)

    def _repeated(self, items: list[object], at: str) -> Iterator[FieldError]:
        first: dict[str, int] = {}
        for index, item in enumerate(items):
            key = item.get(self.unique) if isinstance(item, dict) else None
            if isinstance(key, str) and first.setdefault(key, index) != index:
                yield FieldError(
                    f"{at}[{index}].{self.unique}", f"must not repeat that of {at}[{first[key]}]"
                )

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        shape: dict[str, Any] = {"type": "array", "items": self.item.schema()}
        shape |= {"minItems": self.shortest, "maxItems": self.longest}
        return _described(shape, self.description)


@dataclass(frozen=True, slots=True)
class Object:
    """A JSON object with these keys and no other; those in `optional` may be missing."""

    properties: Mapping[str, Field]
    optional: Collection[str] = field(default=())
    description: str = ""

    def check(self, value: object, at: str) -> Iterator[FieldError]:  # noqa: D102 - the protocol says it
        if not isinstance(value, dict):
            yield FieldError(at, "must be an object")
            return
        prefix = "" if at == "body" else f"{at}."
        for name, kind in self.properties.items():
            if name in value:
                yield from kind.check(value[name], prefix + name)
            elif name not in self.optional:
                yield FieldError(prefix + name, "is required")
        for name in value:
            if name not in self.properties:
                yield FieldError(prefix + ascii(name)[1:-1][:_SHOWN], "is not a known field")

    def schema(self) -> dict[str, Any]:  # noqa: D102 - the protocol says it
        shape: dict[str, Any] = {
            "type": "object",
            "properties": {name: kind.schema() for name, kind in self.properties.items()},
            "required": [name for name in self.properties if name not in self.optional],
            "additionalProperties": False,
        }
        return _described(shape, self.description)


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return schema | {"description": description} if description else schema
