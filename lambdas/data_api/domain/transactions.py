"""What an order's records mean in double entry: pure, and the same legs however often they are asked for.

| transaction | when | legs |
|---|---|---|
| hold.PRODUCT | a line was held | PRODUCT:available to PRODUCT:held |
| release.PRODUCT | its hold was undone | PRODUCT:held to PRODUCT:available |
| sell.PRODUCT | the completed order is settled | PRODUCT:held to PRODUCT:sold |
| charge | the total was charged | USER:balance to USER:charged |
| refund | the charge was undone | USER:charged to USER:balance |
| settle | the completed order is settled | USER:charged to USER:spent |
| capture, return, earn | the same through a gateway | METHOD:outside, METHOD:captured, METHOD:earned |
| adjust.ID | the gateway moved money later | METHOD:adjusted to METHOD:outside, or back |
| opening | a product or user was created | ACCOUNT:opening to ACCOUNT:available or :balance |

A record that was undone says both that it was done and that it was undone, so nothing is missed by reading
late.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from data_api.domain.order import Line, Order, State

Record = Mapping[str, Any]


class Leg(NamedTuple):
    """One side of a transaction; `transaction` is unique within the order, `amount` signed."""

    order_id: str | None
    owner: str
    transaction: str
    account: str
    unit: str
    amount: int
    at: datetime

    @property
    def key(self) -> str:
        """The leg's `_id`: order:transaction:leg."""
        return f"{self.owner}:{self.transaction}:{self.account.rsplit(':', 1)[1]}"


class Records(NamedTuple):
    """What the documents say of one order.

    Attributes:
        operation: the user's record, None without one.
        holds: the products' records by product.
        payments: the records of cards and bank accounts, by attempt.
    """

    operation: Record | None
    holds: Mapping[str, Record]
    payments: tuple[Record, ...] = ()


def legs_of(order: Order, records: Records) -> list[Leg]:
    """Return the legs of everything that was done for the order, in the order it was done."""
    return [
        *_stock(order, records.holds),
        *_credit(order, records.operation),
        *_gateway(order, records.payments),
    ]


def closing_legs(order: Order, names: tuple[str, ...]) -> list[Leg]:
    """Return the legs that end a completed order's held stock and money, for what the ledger holds of it."""
    if order.state is not State.COMPLETED:
        return []
    ways = [
        (f"hold.{line.product_id}", f"sell.{line.product_id}", _stocked(line, "held", "sold"), line.quantity)
        for line in order.lines
    ]
    ways.append(
        ("charge", "settle", _Way(f"user:{order.user_id}", "charged", "spent", order.currency), order.total)
    )
    for name in names:
        if name.startswith("capture."):
            method = name.removeprefix("capture.")
            ways.append(
                (name, f"earn.{method}", _Way(method, "captured", "earned", order.currency), order.total)
            )
    moved = [_moved(order, end, way, n, order.updated_at) for begun, end, way, n in ways if begun in names]
    return [leg for legs in moved for leg in legs]


def opening_legs(kind: str, document: Record) -> list[Leg]:
    """Return the legs of what a user or a product began with; `kind` is its account's first word."""
    account, amount, at = f"{kind}:{document['_id']}", document["opening"], document["created_at"]
    unit, side = (document["currency"], "balance") if kind == "user" else (document["_id"], "available")
    return [
        Leg(None, account, "opening", f"{account}:opening", unit, -amount, at),
        Leg(None, account, "opening", f"{account}:{side}", unit, amount, at),
    ]


def adjustment_legs(payment: Record) -> list[Leg]:
    """Return the legs of everything that moved money of a payment after it, without the workflow."""
    legs: list[Leg] = []
    for key, entry in payment["adjustments"].items():
        amount = entry["amount"] if entry["kind"] in {"refund", "dispute"} else -entry["amount"]
        legs += [
            Leg(
                payment["order_id"],
                payment["order_id"],
                f"adjust.{key}",
                f"{payment['method']}:{side}",
                payment["currency"],
                sign * amount,
                entry["at"],
            )
            for side, sign in (("adjusted", -1), ("outside", 1))
        ]
    return legs


def names_of(legs: list[Leg]) -> list[str]:
    """Return the transactions of legs, each once, in their order."""
    return list(dict.fromkeys(leg.transaction for leg in legs))


class _Way(NamedTuple):
    """From which side of an account to which, in which unit."""

    account: str
    source: str
    target: str
    unit: str

    def back(self) -> "_Way":
        return self._replace(source=self.target, target=self.source)


def _stocked(line: Line, source: str, target: str) -> _Way:
    return _Way(f"product:{line.product_id}", source, target, line.product_id)


def _stock(order: Order, holds: Mapping[str, Record]) -> Iterator[Leg]:
    for line in order.lines:
        record, way = holds.get(line.product_id), _stocked(line, "available", "held")
        if record and record["quantity"]:  # a tombstone of nothing has none
            yield from _moved(order, f"hold.{line.product_id}", way, record["quantity"], record["at"])
            if record["state"] == "void":
                at = record.get("undone_at", record["at"])
                yield from _moved(order, f"release.{line.product_id}", way.back(), record["quantity"], at)


def _credit(order: Order, record: Record | None) -> Iterator[Leg]:
    way = _Way(f"user:{order.user_id}", "balance", "charged", order.currency)
    if record and record["state"] in {"charged", "refunded"}:
        yield from _moved(order, "charge", way, record["amount"], record["at"])
        if record["state"] == "refunded":
            yield from _moved(
                order, "refund", way.back(), record["amount"], record.get("undone_at", record["at"])
            )


def _gateway(order: Order, payments: tuple[Record, ...]) -> Iterator[Leg]:
    for record in payments:
        method, amount = record["method"], record["amount"]
        way = _Way(method, "outside", "captured", record["currency"])
        if record["state"] in {"captured", "refunded"}:
            yield from _moved(order, f"capture.{method}", way, amount, record["created_at"])
        if record["state"] == "refunded":
            yield from _moved(order, f"return.{method}", way.back(), amount, record["updated_at"])


def _moved(order: Order, name: str, way: _Way, amount: int, at: datetime) -> tuple[Leg, Leg]:
    source, target = f"{way.account}:{way.source}", f"{way.account}:{way.target}"
    return (
        Leg(order.id, order.id, name, source, way.unit, -amount, at),
        Leg(order.id, order.id, name, target, way.unit, amount, at),
    )
