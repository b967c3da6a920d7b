"""Waiting: one loop that asks until something holds, and says what did not happen when it gives up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

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
