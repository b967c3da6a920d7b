"""Settle a stack: ask the data API for one page at a time until nothing is due."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import patiently

if TYPE_CHECKING:
    from payment_data.client import DataApi

_COUNTS: Final = ("opened", "entered", "settled", "disputed")


def settle(api: DataApi, reporter: Reporter = NOBODY, *, limit: int = 100) -> dict[str, int]:
    """Enter into the ledger and settle everything that is due.

    Args:
        api: The data API of the stack.
        reporter: Shows the counts after each page.
        limit: How many orders of a kind in a page.

    Returns:
        How many were {opened, entered, settled, disputed}.
    """
    done, after = dict.fromkeys(_COUNTS, 0), ""
    while True:
        step = patiently(partial(_step, api, after), limit)
        done = {key: count + step[key] for key, count in done.items()}
        reporter.passing(", ".join(f"{count} {key}" for key, count in done.items()))
        if "next" not in step:
            return done
        after = step["next"]


def _step(api: DataApi, after: str, limit: int) -> dict[str, Any]:
    return api.settle(limit=limit, after=after)
