"""Waiting: ask until something holds, and say what did not; ask again, for less, where that may pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from payment_data.errors import Kind, Problem
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
_MINUTE = 60


class TimedOut(Refused):
    """Something did not happen in the time that it was given."""


def wait_until(
    probe: Callable[[], Answer | None], *, seconds: float, every: float, what: str, hint: str = ""
) -> Answer:
    """Call the probe until it answers with something true, and return that answer.

    The probe is called at once and, when the time is over, once more, so a slow probe never costs an answer.

    Args:
        probe: What is asked. An error that it raises ends the waiting.
        seconds: How long to wait at most.
        every: The pause between two calls, in seconds.
        what: What is waited for, in words that follow "Waited a minute for": `the function to be ready`.
        hint: What to do about it when it does not happen.

    Raises:
        TimedOut: The probe gave nothing true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        last = time.monotonic() >= deadline
        if answer := probe():
            return answer
        if last:
            raise TimedOut(f"Waited {_duration(seconds)} for {what}.", hint)
        time.sleep(min(every, max(deadline - time.monotonic(), 0)))


def _duration(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} minutes" if seconds >= 2 * _MINUTE else f"{seconds:g} seconds"


_TRIES: Final = 6
_PAUSE_SECONDS: Final = 0.2


def patiently(ask: Callable[[int], Answer], limit: int) -> Answer:
    """Ask with a limit, after a failure that may pass with half of it, at most six times.

    Raises:
        Problem: It did not pass, or is of another kind.
    """
    for attempt in range(_TRIES - 1):
        try:
            return ask(max(limit >> attempt, 1))
        except Problem as problem:
            if problem.kind not in (Kind.NOT_APPLIED, Kind.UNKNOWN_OUTCOME):
                raise
            time.sleep(_PAUSE_SECONDS * 2**attempt)
    return ask(max(limit >> _TRIES - 1, 1))
