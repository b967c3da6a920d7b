"""JSONata as Step Functions has it: what it adds to the language, leaves out, and reads more strictly.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html

Parts after MiniStack (Copyright (c) 2026 MiniStack Contributors, MIT).
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable
from typing import Any

from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""The algorithms that Step Functions knows, and what `hashlib` calls them."""
_LONGEST_MS = 20_000
"""On AWS it is a second of its own; by the clock, a busy machine passes that by itself."""


class NoResult(LookupError):  # noqa: N818 - it says what is the matter
    """The expression returns nothing, which JSON cannot say."""


def evaluate(expression: str, names: dict[str, Any]) -> Any:
    """Evaluate an expression in which `names` are bound.

    Raises:
        NoResult: it returns nothing.
        Exception: it fails, whichever way the library says so.
    """
    # The library reads None as nothing.
    bound = {name: Utils.NULL_VALUE if value is None else value for name, value in names.items()}
    value = _prepared(expression).evaluate(None, bound)
    if value is None and not _prepared(f"$exists(({expression}))").evaluate(None, bound):
        raise NoResult(expression)
    return value


def reason(error: Exception) -> str:
    """Return an evaluation's error as Step Functions words it: JSONata's code comes first."""
    code = getattr(error, "error", None)
    return f"{code}: {error}" if isinstance(code, str) and code else str(error)


def _prepared(expression: str) -> Any:
    parsed = Jsonata.jsonata(expression, timeout=_LONGEST_MS)
    for name, function in _FUNCTIONS.items():
        parsed.register_lambda(name, function)
    return parsed


def _eval(*_: Any) -> Any:
    raise ValueError("T1006: Attempted to invoke a non-function")


def _range(start: float, end: float, step: float) -> Any:
    """A sequence of one value is that value, as everywhere in JSONata."""
    first, last, by = math.floor(start), math.floor(end), math.floor(step)
    if by == 0:
        raise ValueError("$range delta must not be zero")
    values = list(range(first, last + (1 if by > 0 else -1), by))
    return values[0] if len(values) == 1 else values


def _partition(values: list[Any], size: float) -> list[list[Any]]:
    length = math.floor(size)
    if length <= 0:
        raise ValueError("$partition chunk size must be a positive integer")
    return [values[start : start + length] for start in range(0, len(values), length)]


def _hash(text: Any, algorithm: str) -> str:
    if algorithm not in HASHES or not isinstance(text, str):
        raise ValueError(f"$hash algorithm must be one of {', '.join(HASHES)}")
    return hashlib.new(HASHES[algorithm], text.encode()).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.random() if seed is None else random.Random(math.floor(seed)).random()  # noqa: S311 - no secret


def _to_millis(timestamp: Any = None, picture: str | None = None) -> Any:
    """The library takes a blank for the T of a timestamp; Step Functions does not."""
    refused = ValueError(
        "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. "
        f'Given "{timestamp}"'
    )
    if picture is None and isinstance(timestamp, str) and "T" not in timestamp:
        raise refused
    try:
        return Functions.datetime_to_millis(timestamp, picture)
    except ValueError:
        raise refused from None


def _replace(text: Any = None, pattern: Any = None, replacement: Any = None, limit: Any = None) -> Any:
    """The library replaces what has no length; Step Functions refuses it."""
    if hasattr(pattern, "search"):
        match = pattern.search("")
        if match is not None and not match.group():
            raise ValueError("D1004: Regular expression matches zero length string")
    return Functions.replace(text, pattern, replacement, limit)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eval": _eval,
    "range": _range,
    "partition": _partition,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": json.loads,
    "toMillis": _to_millis,
    "replace": _replace,
}
