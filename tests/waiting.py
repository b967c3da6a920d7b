"""The one way in which tests wait: by asking again and again, until an answer or a deadline."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

from pipelines.core import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_PAUSE: Final = threading.Event()  # nobody sets it


def wait_until(
    probe: Callable[[], T | None],
    what: str | Callable[[], object],
    *,
    seconds: float = 20,
    every: float = 0.05,
) -> T:
    """Ask a probe until its answer is true, and return that answer.

    Args:
        probe: What to ask.
        what: What is waited for; a function when it can say what stood in the way at the end.
        seconds: The deadline, for what never comes: a test does not rest on how long something takes.
        every: Seconds between two questions.

    Raises:
        AssertionError: The deadline has passed.
    """
    try:
        return waiting.wait_until(probe, seconds=seconds, every=every, what="an answer")
    except waiting.TimedOut:
        raise AssertionError(
            f"not within {seconds:g} s: {what if isinstance(what, str) else what()}"
        ) from None


def let_pass(seconds: float) -> None:
    """Let time pass, where a test shows that nothing happens in it, or that clocks have moved on."""
    _PAUSE.wait(seconds)
