"""Asks again, for less, where the data API has too much to do: for reads and for idempotent work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from payment_data.errors import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
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
    return ask(max(limit >> _TRIES, 1))
