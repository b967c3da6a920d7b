"""Reconciliation: proof that balances, stock and deliveries are what the ledger says, order by order.

What is read of an order, a product or a user is of one moment each (MongoDB's snapshot reads), so it may run
beside living traffic. It reads everything once, a page at a time, keeps only the differences it finds, and
changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.retry import patiently
from pipelines.orders.reconciliation.accounts import account_differences
from pipelines.orders.reconciliation.gateway import gateway_differences
from pipelines.orders.reconciliation.orders import order_differences, stray_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from payment_data.client import DataApi
    from pipelines.orders.reconciliation.differences import Difference
    from pipelines.orders.reconciliation.gateway import Gateway

KINDS: Final = ("orders", "products", "users")
_LIMITS: Final = {"orders": 200, "products": 50, "users": 50}
"""How many in a page."""


@dataclass(slots=True)
class Reconciliation:
    """What a reconciliation found.

    Attributes:
        expected: About how many documents of each kind there are.
        looked_at: How many were looked at.
        pending: How many orders are not in the ledger yet: under way, or ended since it was last brought up
        to date. differences: What does not fit together.
    """

    expected: dict[str, int]
    looked_at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    pending: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile(
    api: DataApi,
    watch: Callable[[Reconciliation], None] = lambda _: None,
    *,
    gateway: Gateway | None = None,
    now: datetime | None = None,
) -> Reconciliation:
    """Compare everything with everything.

    Args:
        api: The data API of the stack.
        watch: Called after each page.
        gateway: Asked about each payment that went through it, where there is one.
        now: What counts as now, for deadlines.
    """
    found, at = Reconciliation(api.audit()), now or datetime.now(UTC)
    for page in _pages(api, "orders"):
        found.looked_at["orders"] += len(page["orders"])
        found.pending += sum("books" not in order for order in page["orders"])
        found.differences += [d for order in page["orders"] for d in order_differences(order, at)]
        found.differences += stray_differences(page["strays"])
        if gateway:
            found.differences += [d for order in page["orders"] for d in gateway_differences(order, gateway)]
        watch(found)
    for kind in ("products", "users"):
        for page in _pages(api, kind):
            found.looked_at[kind] += len(page["accounts"])
            found.differences += [
                d for a in page["accounts"] for d in account_differences(kind, a, found.differences)
            ]
            watch(found)
    return found


def _pages(api: DataApi, kind: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = patiently(partial(_page, api, kind, after), _LIMITS[kind])
        yield page
        if "next" not in page:
            return
        after = page["next"]


def _page(api: DataApi, kind: str, after: str, limit: int) -> dict[str, Any]:
    return api.audit_page(kind, after=after, limit=limit)
