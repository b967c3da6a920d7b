"""Intrinsic functions of JSONPath states: `States.Format('{}', $.name)`, one inside another.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html

Parts after MiniStack (Copyright (c) 2026 MiniStack Contributors, MIT).
"""

import base64
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from embedded_aws.stepfunctions.jsonata_functions import HASHES

_TOKEN = re.compile(
    r"""\s*(?: (?P<call>States\.\w+)\s*\( | '(?P<text>(?:\\.|[^'\\])*)' | (?P<path>\$(?:\[[^\]]*\]|[^,()\[])*)
      | (?P<number>-?\d+(?:\.\d+)?) | (?P<word>true|false|null) )\s*""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPED = re.compile(r"\\(.)|\{\}", re.DOTALL)
_LONGEST = 10_000
_Resolve = Callable[[str], Any]


class Malformed(ValueError):  # noqa: N818 - it says what is the matter
    """The expression is no call of an intrinsic function, or one of its arguments is wrong."""


def evaluate(expression: str, resolve: _Resolve) -> Any:
    """Evaluate a call; `resolve` gives the value of a path.

    Raises:
        Malformed: it cannot be evaluated.
    """
    value, end = _value(expression, 0, resolve)
    if expression[end:].strip():
        raise Malformed(f"Invalid intrinsic function: {expression}")
    return value


def _value(expression: str, start: int, resolve: _Resolve) -> tuple[Any, int]:
    token = _TOKEN.match(expression, start)
    if token is None:
        raise Malformed(f"Invalid intrinsic function: {expression}")
    if token["call"]:
        return _called(token["call"], expression, token.end(), resolve)
    if token["path"]:
        return resolve(token["path"].strip()), token.end()
    if token["text"] is not None:
        return token["text"], token.end()
    if token["word"]:
        return _WORDS[token["word"]], token.end()
    number = token["number"]
    return float(number) if "." in number else int(number), token.end()


def _called(name: str, expression: str, place: int, resolve: _Resolve) -> tuple[Any, int]:
    arguments: list[Any] = []
    while place < len(expression) and expression[place] != ")":
        value, place = _value(expression, place, resolve)
        arguments.append(value)
        if expression[place : place + 1] == ",":
            place += 1
    if expression[place : place + 1] != ")":
        raise Malformed(f"Invalid intrinsic function: {expression}")
    if name not in _FUNCTIONS:
        raise Malformed(f"Unsupported intrinsic function: {name}")
    try:
        return _FUNCTIONS[name](*arguments), place + 1
    except (TypeError, ValueError, LookupError, AttributeError, StopIteration) as error:
        raise Malformed(f"Invalid arguments in {name}") from error


def _formatted(template: str, *values: Any) -> str:
    rest = iter(values)
    shown = _ESCAPED.sub(lambda match: match[1] or _shown(next(rest)), template)
    if next(rest, None) is not None:
        raise Malformed("Invalid arguments in States.Format")
    return shown


def _shown(value: Any) -> str:
    """Return a value as Java prints it, which is how it gets into a formatted text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(member) for member in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError
    return text


def _decoded(text: str) -> str:
    padded = _bounded(text) + "=" * (-len(text) % 4)
    return base64.b64decode(padded).decode("utf-8", errors="replace")


def _unique(values: list[Any]) -> list[Any]:
    seen: list[Any] = []
    seen.extend(value for value in values if value not in seen)
    return seen


def _range(first: Any, last: Any, step: Any) -> list[int]:
    by = int(step)
    return list(range(int(first), int(last) + (1 if by > 0 else -1), by))


def _partitioned(values: list[Any], size: Any) -> list[list[Any]]:
    return [values[start : start + int(size)] for start in range(0, len(values), int(size))]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": _formatted,
    "States.StringToJson": lambda text: json.loads(text) if str(text).strip() else None,
    "States.JsonToString": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "States.JsonMerge": lambda first, second, _deep=False: {**first, **second},
    "States.Base64Encode": lambda text: base64.b64encode(_bounded(text).encode()).decode(),
    "States.Base64Decode": _decoded,
    "States.Hash": lambda text, name: hashlib.new(HASHES[name], _bounded(text).encode()).hexdigest(),
    "States.StringSplit": lambda text, marks: [
        part for part in re.split(f"[{re.escape(marks)}]", text) if part
    ],
    "States.Array": lambda *values: list(values),
    "States.ArrayGetItem": lambda values, index: values[int(index)],
    "States.ArrayLength": len,
    "States.ArrayContains": lambda values, value: value in values,
    "States.ArrayUnique": _unique,
    "States.ArrayPartition": _partitioned,
    "States.ArrayRange": _range,
    "States.MathRandom": lambda first, last, seed=None: random.Random(seed).randint(int(first), int(last)),  # noqa: S311 - no secret
    "States.MathAdd": lambda *values: sum(math.floor(value + 0.5) for value in values),
    "States.UUID": lambda: str(uuid.uuid4()),
}
