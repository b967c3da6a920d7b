"""Reconciliation from three sides: every order, every account and its owner, and Stripe's own list.

What is read of an order, a product or a user is of one moment each (MongoDB's snapshot reads), so it may run
beside living traffic. It reads everything once, a page at a time, keeps only the differences and what must be
at Stripe, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.waiting import patiently
from pipelines.orders.reconciliation.order_legs import Difference, stray_leg
from pipelines.orders.reconciliation.orders import order_differences, stray_payment
from pipelines.orders.reconciliation.stripe import RecordedPayments, stripe_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from payment_data.client import DataApi
    from pipelines.orders.reconciliation.stripe import StripeReader

_SIDES: Final = {
    "products": ("product", {"free": "available", "taken": "held", "gone": "sold"}),
    "users": ("user", {"free": "balance", "taken": "charged", "gone": "spent"}),
}


def account_differences(
    kind: str, account: dict[str, Any], so_far: Iterable[Difference]
) -> Iterator[Difference]:
    """Yield what does not add up in a product or a user of `GET /audit/products` or `/audit/users`.

    Args:
        kind: products or users.
        account: The answer's document.
        so_far: The differences of orders, to name the one that explains a sum.
    """
    word, sides = _SIDES[kind]
    name = f"{word}:{account['id']}"
    by_order = {d.order_id for d in so_far if d.order_id and d.account.startswith(f"{name}:")}
    order_id = ", ".join(sorted(by_order)) or None
    for stray in account["strays"]:
        yield Difference(
            name, stray, "a record of an order that is unknown, settled or synthetic", "none", "a record"
        )
    if account.get("books") == "synthetic":
        yield Difference(
            name, None, "only smoke executions make synthetic ones", "not synthetic", "synthetic"
        )
    if not account["as_opened"]:
        what = "what it began with, and what cannot be changed of it"
        yield Difference(name, None, what, "as it was created", "changed since")
    if "opening" not in account:
        yield Difference(name, order_id, "what it began with is not on record", "an opening", "none")
        return
    whole = account["free"] + account["taken"] + account["gone"]
    if whole != account["opening"]:
        what = f"{sides['free']} + {sides['taken']} + {sides['gone']} is not what it began with"
        yield Difference(name, order_id, what, account["opening"], whole, name, whole - account["opening"])
    if account.get("books") == "entered":
        yield from _with_ledger(account, name, sides, order_id)


def _with_ledger(
    account: dict[str, Any], name: str, sides: dict[str, str], order_id: str | None
) -> Iterator[Difference]:
    """Compare with the ledger, which lacks what is pending."""
    ledger, pending = account["ledger"], account["pending"]
    documents = {
        "free": account["free"] + pending,
        "taken": account["taken"] - pending,
        "gone": account["gone"],
        "opening": -account["opening"],
    }
    for side, amount in documents.items():
        if amount != ledger[side]:
            word = sides.get(side, side)
            what = f"the ledger has another sum in {word}, without {pending} pending"
            yield Difference(
                name, order_id, what, ledger[side], amount, f"{name}:{word}", amount - ledger[side]
            )


def owner_differences(owners: Iterable[dict[str, Any]]) -> Iterator[Difference]:
    """Yield the owners of accounts in the ledger, of `GET /audit/ledger`, that do not exist."""
    for owner in owners:
        if not owner["known"]:
            name = owner["owner"]
            yield Difference(name, None, "it has accounts in the ledger", "there", "gone")


KINDS: Final = ("orders", "products", "users")
_LIMITS: Final = {"orders": 200, "products": 50, "users": 50, "ledger": 500}
"""How many in a page."""


@dataclass(slots=True)
class Reconciliation:
    """The result of a reconciliation.

    Attributes:
        expected: About how many documents of each kind there are.
        looked_at: How many were looked at.
        pending: How many orders are not in the ledger yet: under way, or ended since it was last brought up
            to date.
        differences: What does not fit together.
    """

    expected: dict[str, int]
    looked_at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    pending: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile(
    api: DataApi,
    watch: Callable[[Reconciliation], None] = lambda _: None,
    *,
    stripe: StripeReader | None = None,
    now: datetime | None = None,
) -> Reconciliation:
    """Compare everything with everything.

    Args:
        api: The data API of the stack.
        watch: Called after each page.
        stripe: Asked about all payments that went through it, where there is one.
        now: What counts as now, for deadlines.
    """
    result, at, recorded = Reconciliation(api.audit()), now or datetime.now(UTC), RecordedPayments()
    for page in _pages(api, "orders"):
        result.looked_at["orders"] += len(page["orders"])
        result.pending += sum("books" not in order for order in page["orders"])
        for order in page["orders"]:
            result.differences += order_differences(order, at)
            recorded.add(order)
        result.differences += map(stray_leg, page["strays"])
        result.differences += map(stray_payment, page["stray_payments"])
        watch(result)
    if stripe:
        result.differences += stripe_differences(recorded, stripe)
    for kind in ("products", "users"):
        for page in _pages(api, kind):
            result.looked_at[kind] += len(page["accounts"])
            for account in page["accounts"]:
                result.differences += list(account_differences(kind, account, result.differences))
            watch(result)
    for page in _pages(api, "ledger"):
        result.differences += owner_differences(page["owners"])
    return result


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
