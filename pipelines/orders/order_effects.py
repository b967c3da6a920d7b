"""What an order changed: stock and credit, counted before and after."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payment_data import money
from payment_data.errors import NotFound, OrderNotFound

if TYPE_CHECKING:
    from payment_data.client import DataApi


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an order may change, as it is at one moment.

    Attributes:
        currency: Of the balances.
        stock: How many are available, by product; without the products that nobody knows.
        balances: In minor units, by user; empty for a user whom nobody knows.
    """

    currency: str
    stock: dict[str, int]
    balances: dict[str, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """A product's stock or a user's credit before and after, in words, and whether it changed."""

    what: str
    before: str
    after: str
    change: str
    moved: bool


def holdings(api: DataApi, order_id: str) -> Holdings:
    """Return the stock of an order's products and the balance of its user; nothing for an unknown order."""
    try:
        order = api.order(order_id)
    except OrderNotFound:
        return Holdings("", {}, {})
    stock, balances = {}, {}
    for product_id in (line["product_id"] for line in order["lines"]):
        with contextlib.suppress(NotFound):
            stock[product_id] = api.product(product_id)["available"]
    with contextlib.suppress(NotFound):
        balances[order["user_id"]] = api.user(order["user_id"])["balance"]
    return Holdings(order["currency"], stock, balances)


def effects(before: Holdings, after: Holdings) -> list[Effect]:
    """Return what changed and what did not, one effect for each product and user."""
    changes = []
    for product_id, count in after.stock.items():
        was = before.stock.get(product_id, count)
        changes.append(
            Effect(f"stock of {product_id}", str(was), str(count), f"{count - was:+d}", count != was)
        )
    for user_id, balance in after.balances.items():
        was = before.balances.get(user_id, balance)
        credit = f"credit of {user_id} ({after.currency})"
        had, has, difference = (
            money.format_major(value, after.currency) for value in (was, balance, balance - was)
        )
        changes.append(Effect(credit, had, has, difference, balance != was))
    return changes
