"""What documents must agree on beside amounts: times, reasons, and what something was created as.

Pure, for auditors alone: each says whether a second place tells the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from data_api.domain.order import Order, State
from data_api.domain.payment import in_order
from data_api.domain.requests import (
    CLOCK_SKEW,
    HORIZON,
    KEPT_PRICES,
    Document,
    fingerprint,
    opening_mark,
)
from data_api.domain.transactions import opening_legs
from payment_data.payment_methods.names import BALANCE

_CREATED_WITH: Final = ("name", "type", "currency")
_ENDS_BADLY: Final = (State.FAILED, State.NEEDS_ATTENTION)


class Opening(NamedTuple):
    """What the ledger has of an account's opening, and of what came in from outside since.

    Attributes:
        legs: those of the opening, {account, unit, amount, at}, by account.
        units: every unit of legs that belong to no order.
        named: whether each of these legs has the `_id` of its own transaction.
    """

    legs: Mapping[str, Document]
    units: Collection[str]
    named: bool


def legs_in_time(order: Order, payments: Iterable[Mapping[str, Any]], legs: Iterable[Document]) -> bool:
    """Say whether each leg of an order is of its time, and each adjustment's of when it was recorded."""
    adjusted = {
        f"adjust.{key}": entry["at"]
        for payment in payments
        for key, entry in payment.get("adjustments", {}).items()
    }
    earliest, latest = order.created_at - CLOCK_SKEW, order.updated_at + HORIZON
    return all(
        leg["at"] == adjusted[leg["transaction"]]
        if leg["transaction"] in adjusted
        else earliest <= leg["at"] <= latest
        for leg in legs
    )


def as_charged(order: Order, operation: Mapping[str, Any] | None) -> bool:
    """Say whether the record on its payer's balance, but a tombstone, is of its own total and currency."""
    if operation is None or operation["state"] == "void":
        return True
    method, _, rest = (operation.get("fingerprint") or "").partition(":")
    attempt, _, rest = rest.partition(":")
    return method in BALANCE and attempt.isdecimal() and rest == f"{order.total}:{order.currency}"


def as_failed(order: Order, failures: Collection[Mapping[str, Any]]) -> bool:
    """Say whether the reasons in an order's history are those of its decision and its recorded failures.

    A failure is recorded before an order fails or is parked for it. Whoever only closed an order may have
    died before; then nothing else knows why.
    """
    decided = order.decision.error if order.decision else None
    if decided and all(entry.get("reason") != decided for entry in order.history):
        return False
    moves = [*order.history, None]
    return all(_explained(entry, after, decided, failures) for entry, after in pairwise(moves) if entry)


def _explained(
    entry: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    decided: str | None,
    failures: Collection[Mapping[str, Any]],
) -> bool:
    why, execution = entry.get("reason"), entry.get("execution")
    recorded = [failure for failure in failures if failure["execution"] == execution]
    if entry["to"] in _ENDS_BADLY:
        return _tells(why, recorded)
    if entry["to"] != State.CANCELLING:
        return why is None
    ended_it = after is not None and after.get("execution") == execution
    return why == decided or not ended_it or _tells(why, recorded)


def _tells(why: str | None, failures: Collection[Mapping[str, Any]]) -> bool:
    """Say whether a reason is a failure's error, or names undos with theirs."""
    undos = {f"{failure['step']}: {failure['error']}" for failure in failures}
    known = {failure["error"] for failure in failures}
    return why is not None and (why in known or set(why.split("; ")) <= undos)


def payment_in_order(record: Mapping[str, Any]) -> bool:
    """Say whether an attempt's history leads to its state, from when it was made, and says why it ended.

    What the gateway closed without taking money is void, or was refunded after all.
    """
    history, state = record.get("history", ()), record.get("state", "")
    if not history or not in_order(state, history):
        return False
    times = [*(entry["at"] for entry in history), record["updated_at"]]
    return (
        times[0] == record.get("created_at")
        and all(later >= earlier - CLOCK_SKEW for earlier, later in pairwise(times))
        and history[0]["execution"] == record.get("execution")
        and (state != "declined" or history[-1]["reason"] == record.get("reason"))
        and (not record.get("closed") or state in {"void", "refunded"})
    )


def as_opened(kind: str, document: Document, opening: Opening | None) -> bool:
    """Say whether a product or a user is what it was created as, for all that nobody may have changed since.

    A price may be changed, so it need be one that the product had. A wallet may be changed, too, and a user's
    name is kept nowhere else but in one digest with the first wallet: neither is looked at. What was made by
    hand has no marks.

    Args:
        kind: product or user, its account's first word.
        document: without its records.
        opening: what the ledger has of it, None if it has nothing.
    """
    if "fingerprint" not in document and "opened_with" not in document:
        return True
    began = _began(kind, document, opening)
    if began is None or document.get("opened_with") != opening_mark(document["_id"], began):
        return False
    if bool(document.get("synthetic")) is not (document.get("books") == "synthetic"):
        return False
    if kind == "user" or len(document.get("repriced", ())) >= KEPT_PRICES:
        return True
    return any(document.get("fingerprint") == fingerprint(body) for body in _requests(document, began))


def _began(kind: str, document: Document, opening: Opening | None) -> int | None:
    """Return with how much it began, None if the ledger's legs are not those of what it was created as."""
    if document.get("books") != "entered":
        return document.get("opening")
    side = f"{kind}:{document['_id']}:opening"
    if opening is None or side not in opening.legs:
        return None
    began: int = -opening.legs[side]["amount"]
    legs = opening_legs(kind, document | {"opening": began})
    expected = {leg.account: (leg.unit, leg.amount, leg.at) for leg in legs}
    entered = {account: (leg["unit"], leg["amount"], leg["at"]) for account, leg in opening.legs.items()}
    fits = expected == entered and set(opening.units) == {legs[0].unit} and opening.named
    return began if fits else None


def _requests(document: Document, began: int) -> Iterator[Document]:
    """Yield the requests that may have created a product: with each price that it ever had."""
    prices = dict.fromkeys([document["price"], *(was["price"] for was in document.get("repriced", ()))])
    fields = {name: document.get(name) for name in _CREATED_WITH}
    for price in prices:
        body = fields | {"price": price, "available": began}
        yield body
        yield body | {"synthetic": bool(document.get("synthetic"))}
