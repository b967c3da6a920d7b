"""Does an order fit together: its state, holds, charge, deliveries, and its legs in the ledger?

The legs are derived here once more, from the order alone: the data API's own derivation is among what is
proven.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.orders.reconciliation.differences import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

Order = dict[str, Any]
_TERMINAL: Final = ("COMPLETED", "FAILED")
_HOLDING: Final = ("RESERVED", "PAID", "COMPLETED")
_PAID: Final = ("PAID", "COMPLETED")
_LATEST: Final = timedelta(hours=24)
"""No request has a deadline further ahead, so an order without one is over then after its last change."""
_MOVES: Final = {
    "hold": ("product:{}", "available", "held"),
    "release": ("product:{}", "held", "available"),
    "sell": ("product:{}", "held", "sold"),
    "charge": ("user:{}", "balance", "charged"),
    "refund": ("user:{}", "charged", "balance"),
    "settle": ("user:{}", "charged", "spent"),
    "capture": ("{}", "outside", "captured"),
    "return": ("{}", "captured", "outside"),
    "earn": ("{}", "captured", "earned"),
}
_UNDONE_BY: Final = {"hold": "release", "charge": "refund", "capture": "return"}
_ENDED_BY: Final = {"hold": "sell", "charge": "settle", "capture": "earn"}


def order_differences(order: Order, now: datetime) -> Iterator[Difference]:
    """Yield what does not fit in an order, as `GET /audit/orders` tells it."""
    yield from _stuck(order, now)
    if order.get("books") not in ("settling", "settled"):
        yield from _holds(order)
        yield from _charge(order)
    yield from _deliveries(order)
    yield from _ledger(order)


def stray_differences(legs: list[dict[str, Any]]) -> Iterator[Difference]:
    """Yield the legs of orders that nobody knows."""
    for leg in legs:
        yield _leg_difference(leg["order_id"], "a leg of an order that nobody knows", leg, expected=False)


def _stuck(order: Order, now: datetime) -> Iterator[Difference]:
    state = order["state"]
    if state == "NEEDS_ATTENTION":
        yield _of(order, "parked: its undo could not be finished", "COMPLETED or FAILED", state)
    elif state not in (*_TERMINAL, "NEW"):
        at = order.get("deadline")
        over = datetime.fromisoformat(at) if at else datetime.fromisoformat(order["updated_at"]) + _LATEST
        if over < now:
            yield _of(
                order,
                f"not ended, and its deadline was {over:%Y-%m-%d %H:%M:%S} UTC",
                "COMPLETED or FAILED",
                state,
            )


def _holds(order: Order) -> Iterator[Difference]:
    """Held in full while the order goes forward and when it is completed, not at all when it failed."""
    for line in order["lines"]:
        hold = line.get("hold") or {"state": "none", "amount": 0}
        held = hold["amount"] if hold["state"] == "held" else 0
        must = line["quantity"] if order["state"] in _HOLDING else 0 if order["state"] == "FAILED" else None
        if (must is not None and held != must) or (held and held != line["quantity"]):
            expected = must if must is not None else line["quantity"]
            what = f"{order['state']}, but of {line['product_id']} it holds"
            effect = (f"product:{line['product_id']}:held", held - expected)
            yield _of(order, what, expected, held, effect)


def _charge(order: Order) -> Iterator[Difference]:
    """Captured once and in full from PAID on, not at all when it failed."""
    operation = order.get("operation")
    taken = [operation["amount"]] if operation and operation["state"] == "charged" else []
    taken += [payment["amount"] for payment in order["payments"] if payment["state"] == "captured"]
    if order["state"] in _PAID and taken != [order["total"]]:
        yield _charged(order, order["total"], taken)
    elif order["state"] in ("NEW", "FAILED") and taken:
        yield _charged(order, 0, taken)
    elif taken and taken != [order["total"]]:
        yield _charged(order, order["total"], taken)


def _charged(order: Order, expected: int, taken: list[int]) -> Difference:
    found, account = sum(taken), f"user:{order['user_id']}:charged"
    return _of(order, f"{order['state']}, but it is charged", expected, found, (account, found - expected))


def _deliveries(order: Order) -> Iterator[Difference]:
    """All lines when it is completed; none unless it is paid for."""
    arranged = sorted(d["line"] for d in order["deliveries"] if d["state"] == "arranged")
    if order["state"] == "COMPLETED" and arranged != list(range(len(order["lines"]))):
        yield _of(order, "COMPLETED, but delivered are lines", list(range(len(order["lines"]))), arranged)
    elif order["state"] in ("NEW", "RESERVED", "PAID", "FAILED") and arranged:
        yield _of(order, f"{order['state']}, but delivered are lines", [], arranged)
    elif arranged and not _captured(order):
        yield _of(order, "delivered, but nothing was captured", order["total"], 0)


def _captured(order: Order) -> bool:
    if order.get("books") == "settled":  # its records are gone, and its legs are looked at by themselves
        return any(name.partition(".")[0] in ("charge", "capture") for name in order["ledger"])
    if order.get("operation", {}).get("state") == "charged":
        return True
    return any(payment["state"] == "captured" for payment in order["payments"])


def _ledger(order: Order) -> Iterator[Difference]:
    """The legs are those of the transactions that were entered, no more and no fewer."""
    books, names = order.get("books"), order["ledger"]
    if books in ("entered", "settled"):
        yield from _transactions(order, names, settled=books == "settled")
    sure = books in ("entered", "settled")
    expected = {
        leg["key"]: leg for name in (names if sure else _possible(order)) for leg in _legs(order, name)
    }
    found = {leg["key"]: leg for leg in order["legs"]}
    for key, leg in found.items():
        if key not in expected:
            yield _leg_difference(order["order_id"], "a leg that must not be there", leg, expected=False)
        elif leg != expected[key]:
            yield _of(
                order, f"leg {key} is another", _told(expected[key]), _told(leg), _effect(expected[key], leg)
            )
    for key in sorted(expected.keys() - found.keys()) if sure else []:
        yield _leg_difference(order["order_id"], "a leg is missing", expected[key], expected=True)


def _transactions(order: Order, names: list[str], *, settled: bool) -> Iterator[Difference]:
    """What was entered must be how such an order ends: all of it, or each with what undid it."""
    done = [name for name in names if name.partition(".")[0] in _UNDONE_BY]
    ends = _ENDED_BY if settled and order["state"] == "COMPLETED" else {}
    must = [_like(name, _UNDONE_BY) for name in done] if order["state"] == "FAILED" else []
    must += [_like(name, ends) for name in done if ends]
    if order["state"] == "COMPLETED":
        must += [f"hold.{line['product_id']}" for line in order["lines"]]
        if sum(name.partition(".")[0] in ("charge", "capture") for name in done) != 1:
            yield _of(
                order,
                "COMPLETED, but the ledger's transactions are",
                "one charge or capture",
                ", ".join(names),
            )
    if sorted({*done, *must}) != sorted(set(names)):
        yield _of(
            order,
            "the ledger's transactions are",
            ", ".join(sorted({*done, *must})),
            ", ".join(sorted(names)),
        )


def _like(name: str, other: dict[str, str]) -> str:
    verb, dot, rest = name.partition(".")
    return other[verb] + dot + rest


def _possible(order: Order) -> list[str]:
    products = [line["product_id"] for line in order["lines"]]
    names = [f"{verb}.{product}" for verb in ("hold", "release", "sell") for product in products]
    methods = {payment["method"] for payment in order["payments"]}
    names += [f"{verb}.{method}" for verb in ("capture", "return", "earn") for method in methods]
    return [*names, "charge", "refund", "settle"]


def _legs(order: Order, name: str) -> list[dict[str, Any]]:
    """The two legs of a transaction of this order, as the order itself has it."""
    verb, _, rest = name.partition(".")
    if verb not in _MOVES:
        return []
    account, source, target = _MOVES[verb]
    quantities = {line["product_id"]: line["quantity"] for line in order["lines"]}
    stock = account.startswith("product")
    whose = account.format(rest or order["user_id"])
    amount = quantities.get(rest, 0) if stock else order["total"]
    unit = rest if stock else order["currency"]
    return [
        {
            "key": f"{order['order_id']}:{name}:{side}",
            "order_id": order["order_id"],
            "transaction": name,
            "account": f"{whose}:{side}",
            "unit": unit,
            "amount": sign * amount,
        }
        for side, sign in ((source, -1), (target, 1))
    ]


def _leg_difference(order_id: str, what: str, leg: dict[str, Any], *, expected: bool) -> Difference:
    told = _told(leg)
    amount = -leg["amount"] if expected else leg["amount"]
    must, there = (told, "nothing") if expected else ("nothing", told)
    return Difference(leg["key"], order_id, what, must, there, leg["account"], amount)


def _told(leg: dict[str, Any]) -> str:
    return f"{leg['amount']} {leg['unit']} in {leg['account']}"


def _effect(expected: dict[str, Any], found: dict[str, Any]) -> tuple[str, int]:
    return expected["account"], found["amount"] - expected["amount"]


def _of(
    order: Order, what: str, expected: object, found: object, effect: tuple[str, int] = ("", 0)
) -> Difference:
    return Difference(f"order {order['order_id']}", order["order_id"], what, expected, found, *effect)
