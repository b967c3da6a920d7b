"""Does an order fit together by content: what was ordered, its history, holds, payment and deliveries?"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pipelines.orders.reconciliation.order_legs import Difference, leg_differences, of_order

if TYPE_CHECKING:
    from collections.abc import Iterator

Order = dict[str, Any]
_TERMINAL: Final = ("COMPLETED", "FAILED")
_HOLDING: Final = ("RESERVED", "PAID", "COMPLETED")
_PAID: Final = ("PAID", "COMPLETED")
_GATEWAY: Final = ("card", "bank_account")
_NO_RECORDS: Final = ("settling", "settled")
_LATEST: Final = timedelta(hours=24)
"""No request has a deadline further ahead, so an order without one is over then after its last change."""
_SKEW: Final = timedelta(minutes=1)
"""Between the clocks of the function that takes a deadline and of the database, and for the request."""
_BANK: Final = timedelta(days=24)
"""For as long the workflow asks for a bank's answer, forward or back."""
_NEXT: Final = {
    "NEW": {"RESERVED", "CANCELLING"},
    "RESERVED": {"PAID", "CANCELLING"},
    "PAID": {"COMPLETED", "CANCELLING"},
    "CANCELLING": {"FAILED", "NEEDS_ATTENTION"},
    "NEEDS_ATTENTION": {"CANCELLING", "FAILED", "COMPLETED"},
}
"""From a state to those that an order may go to: derived once more, as everything here."""


def order_differences(order: Order, now: datetime) -> Iterator[Difference]:
    """Yield what does not fit in an order of `GET /audit/orders`."""
    yield from _content(order)
    yield from _history(order)
    yield from _stuck(order, now)
    if order.get("books") not in _NO_RECORDS:
        yield from _holds(order)
    yield from _payments(order)
    yield from _charge(order)
    yield from _deliveries(order)
    yield from leg_differences(order)


def stray_payment(payment: dict[str, Any]) -> Difference:
    """Return the difference of a payment whose order does not exist."""
    about = f"payment {payment['order_id']}:{payment['attempt']}"
    found = f"{payment['amount']} {payment['currency']} {payment['state']}"
    return Difference(
        about, payment["order_id"], "a payment of an order that does not exist", "nothing", found
    )


def _content(order: Order) -> Iterator[Difference]:
    """Check that it is what was ordered: nothing of it changes after it was created."""
    key = order["order_id"]
    if not order["as_created"]:
        yield of_order(key, "its payer, currency or lines", "as it was created", "changed since")
    if order["synthetic"]:
        yield of_order(key, "only smoke executions make synthetic orders", "not synthetic", "synthetic")
    for name in order["unknown"]:
        if _took_from(order, name):
            yield Difference(name, key, "an order took from it", "there", "gone")
    for name in order["other_currency"] if order["state"] in _PAID else ():
        yield Difference(name, key, "paid, but its currency is", order["currency"], "another")
    for name in order["other_price"] if _passed(order, "RESERVED") else ():
        yield Difference(name, key, "an order held it at a price", "that it had", "another")
    if not order["as_paid"]:
        paid = f"{order.get('paid_by')}, {order['total']} {order['currency']}"
        yield of_order(key, "what it was paid with", paid, "something else, or nothing")
    total = sum(line["price"] * line["quantity"] for line in order["lines"])
    if total != order["total"]:
        yield of_order(key, "its total is not what its lines cost", total, order["total"])


def _took_from(order: Order, name: str) -> bool:
    """Return whether an order held of a product, or was paid by a user; one that was refused took nothing."""
    return _passed(order, "PAID" if name.startswith("user:") else "RESERVED")


def _passed(order: Order, state: str) -> bool:
    return any(move["to"] == state for move in order["history"])


def _history(order: Order) -> Iterator[Difference]:
    """Check that its history leads from NEW to its state, without a gap and in time."""
    key, moves = order["order_id"], order["history"]
    names = [move["to"] for move in moves]
    text = " → ".join(names)
    whole = bool(names) and names[0] == "NEW" and "from" not in moves[0]
    whole &= all(
        later.get("from") == earlier["to"] and later["to"] in _NEXT.get(earlier["to"], ())
        for earlier, later in pairwise(moves)
    )
    if not whole:
        yield of_order(key, "its history", "every change from NEW on", text)
    elif names[-1] != order["state"]:
        yield of_order(key, "its history ends with another state", order["state"], text)
    if not order["in_time"]:
        yield of_order(key, "its times, of its changes of state and its legs", "in the order of time", "not")
    if not order["as_failed"]:
        yield of_order(key, "the reasons in its history", "those of its decision and failures", "others")


def _stuck(order: Order, now: datetime) -> Iterator[Difference]:
    key, state = order["order_id"], order["state"]
    if state == "NEEDS_ATTENTION":
        yield of_order(key, "parked: its undo could not be finished", "COMPLETED or FAILED", state)
    elif state not in (*_TERMINAL, "NEW"):
        at, changed = order.get("deadline"), datetime.fromisoformat(order["updated_at"])
        over = datetime.fromisoformat(at) if at else changed + _LATEST
        if over > changed + _LATEST + _SKEW or (state in _HOLDING and not at):
            yield of_order(key, f"{state}, but its deadline is", "a day after its last change at most", at)
        if any(map(_waits_for_bank, order["payments"])):
            over = max(over, changed + _BANK)
        if over < now:
            what = f"not ended, and its deadline was {over:%Y-%m-%d %H:%M:%S} UTC"
            yield of_order(key, what, "COMPLETED or FAILED", state)


def _waits_for_bank(payment: dict[str, Any]) -> bool:
    """Return whether a bank may still have to answer; until then nothing is done or undone."""
    barred = payment["state"] == "void" and "payment_intent" in payment and not payment.get("closed")
    return payment["method"] == "bank_account" and (payment["state"] == "processing" or barred)


def _holds(order: Order) -> Iterator[Difference]:
    """Check that it holds every line in full going forward and when completed, and nothing once failed."""
    for line in order["lines"]:
        hold = line.get("hold") or {"state": "none", "amount": 0}
        held = hold["amount"] if hold["state"] == "held" else 0
        must = line["quantity"] if order["state"] in _HOLDING else 0 if order["state"] == "FAILED" else None
        if (must is not None and held != must) or (held and held != line["quantity"]):
            expected = must if must is not None else line["quantity"]
            what = f"{order['state']}, but of {line['product_id']} it holds"
            effect = (f"product:{line['product_id']}:held", held - expected)
            yield of_order(order["order_id"], what, expected, held, effect)


def _payments(order: Order) -> Iterator[Difference]:
    """Check that each attempt to pay is one of this order, by its method, currency, amount and number."""
    key, way = order["order_id"], order.get("paid_by")
    if order["state"] in _HOLDING and way is None:
        yield of_order(key, f"{order['state']}, but how it is paid is", "on record", "unknown")
    numbers = [payment["attempt"] for payment in order["payments"]]
    if numbers != list(range(1, len(numbers) + 1)):
        yield of_order(key, "its attempts to pay are", list(range(1, len(numbers) + 1)), numbers)
    for payment in order["payments"]:
        yield from _attempt(order, payment, f"payment {payment['attempt']}")
    if way in _GATEWAY and "operation" in order:
        yield of_order(key, f"paid by {way}, but on its payer's credit there is", "nothing", "a record")


def _attempt(order: Order, payment: dict[str, Any], name: str) -> Iterator[Difference]:
    key, way, state = order["order_id"], order.get("paid_by"), payment["state"]
    if payment["method"] != way:
        yield of_order(key, f"{name} is by", way or "no method", payment["method"])
    if not payment["in_order"]:
        yield of_order(key, f"the history of {name}", f"every change to {state}", "not")
    if payment["currency"] != order["currency"]:
        yield of_order(key, f"{name} is in", order["currency"], payment["currency"])
    if payment["amount"] != order["total"] and state != "void":
        yield of_order(key, f"{name} is over", order["total"], payment["amount"])
    if "payment_intent" in payment:
        if state == "void" and order["state"] == "FAILED" and not payment.get("closed"):
            yield of_order(key, f"{name} is void, but that Stripe closed it is", "on record", "unknown")
    elif state in ("captured", "refunded"):
        yield of_order(key, f"{name} is {state}, but its PaymentIntent is", "on record", "unknown")


def _charge(order: Order) -> Iterator[Difference]:
    """Check that it is captured once and in full from PAID on, and not at all when it failed."""
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
    charged, account = sum(taken), f"user:{order['user_id']}:charged"
    what = f"{order['state']}, but it is charged"
    return of_order(order["order_id"], what, expected, charged, (account, charged - expected))


def _deliveries(order: Order) -> Iterator[Difference]:
    """Check that every line is delivered once as it was ordered when it is completed, and nothing before."""
    key = order["order_id"]
    arranged = [delivery for delivery in order["deliveries"] if delivery["state"] == "arranged"]
    lines = sorted(delivery["line"] for delivery in arranged)
    if order["state"] != "COMPLETED":
        if arranged:
            yield of_order(key, f"{order['state']}, but delivered are lines", [], lines)
        return
    if lines != list(range(len(order["lines"]))):
        yield of_order(key, "COMPLETED, but delivered are lines", list(range(len(order["lines"]))), lines)
    for delivery in arranged:
        if delivery["line"] < len(order["lines"]):
            line = order["lines"][delivery["line"]]
            wrong = [
                field
                for field in ("product_id", "quantity", "delivery_address")
                if delivery[field] != line[field]
            ]
            if wrong:
                what = f"the delivery of line {delivery['line']} has another {', '.join(wrong)}"
                yield of_order(key, what, "as it was ordered", "something else")
