"""How unfinished orders are paid: what an environment must keep rights, keys and network for."""

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

from payment_data.client import DataApi

STATES = ("RESERVED", "PAID", "CANCELLING", "NEEDS_ATTENTION")
"""Those in which an order may hold money, or come to hold some."""
_PAGE = 100


def paid_by_others(api: DataApi, methods: Collection[str], *, seconds: float) -> dict[str, Any]:
    """Return how many unfinished orders are paid by other methods: {unlisted: {method: count}, whole}.

    Args:
        api: The data API.
        methods: The names of the methods that are not counted.
        seconds: After how long to stop; `whole` says whether every order was looked at.
    """
    until, counts = time.monotonic() + seconds, Counter[str]()
    for state in STATES:
        after: str | None = ""
        while after is not None:
            if time.monotonic() > until:
                return {"unlisted": dict(counts), "whole": False}
            page = api.orders(state=state, after=after, limit=_PAGE)
            paid_by = [order.get("paid_by") for order in page["orders"]]
            counts.update(method for method in paid_by if method and method not in methods)
            after = page.get("next")
    return {"unlisted": dict(counts), "whole": True}
