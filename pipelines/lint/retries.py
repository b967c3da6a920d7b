"""Retriers and catchers that can never do what they say.

Source: Amazon States Language specification, "Errors"; Step Functions developer guide, "Handling errors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_NEVER_RETRIED: Final = {"States.DataLimitExceeded", "States.Runtime"}
_WITH_ERRORS: Final = {"Task", "Parallel", "Map"}
_RANGES: Final = {
    "IntervalSeconds": range(1, 100_000_000),
    "MaxAttempts": range(100_000_000),
    "MaxDelaySeconds": range(1, 31_622_401),
}
_JITTER: Final = {"FULL", "NONE"}


def problems(state: Json) -> Iterator[tuple[str, str]]:
    """Yield each problem of a state's retriers and catchers, with the field that it is in."""
    for kind in ("Retry", "Catch"):
        entries = state.get(kind)
        if not isinstance(entries, list):
            continue
        if str(state.get("Type")) not in _WITH_ERRORS:
            yield kind, f"a {state.get('Type')} state has none"
        handled: set[str] = set()
        for number, entry in enumerate(entries, start=1):
            if isinstance(entry, dict):
                for problem in _entry(kind, entry, handled, last=number == len(entries)):
                    yield f"{kind}/{number - 1}", problem


def _entry(kind: str, entry: Json, handled: set[str], *, last: bool) -> Iterator[str]:
    listed = entry.get("ErrorEquals")
    errors = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if not errors:
        yield "ErrorEquals names no error"
    if "States.ALL" in errors and (len(errors) > 1 or not last):
        yield "States.ALL stands alone and last, or the ones after it are never asked"
    for name in errors:
        if name in handled:
            yield f"{name} was handled by an earlier one"
        if name in _NEVER_RETRIED and kind == "Retry":
            yield f"{name} is never retried"
    handled |= set(errors)
    if kind == "Retry":
        yield from _numbers(entry)


def _numbers(retrier: Json) -> Iterator[str]:
    for key, allowed in _RANGES.items():
        value = retrier.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value in allowed):
            yield f"{key} {value!r} is not {allowed.start} to {allowed.stop - 1}"
    rate = retrier.get("BackoffRate", 2.0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield f"BackoffRate {rate!r} is not 1.0 or more"
    longest, interval = retrier.get("MaxDelaySeconds"), retrier.get("IntervalSeconds", 1)
    if isinstance(longest, int) and isinstance(interval, int) and longest <= interval:
        yield f"MaxDelaySeconds {longest} is not above IntervalSeconds {interval}"
    if str(retrier.get("JitterStrategy", "NONE")) not in _JITTER:
        yield f"JitterStrategy {retrier['JitterStrategy']!r} is neither FULL nor NONE"
