"""What a difference is, and the first kind: does the ledger say of an order what the order itself says?

The legs are derived here once more, from the order alone: the data API's own derivation is among what is
proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit.

    Attributes:
        about: The product, user, PaymentIntent or ledger leg it is about, or the order itself.
        order_id: The order it belongs to. Of a sum that does not fit: the order whose difference explains
            it, or none where somebody changed the sum itself.
        what: What does not fit, in words.
        expected: What must be there.
        found: What is there.
        account: The account whose sum it changes, if it does.
        amount: By how much: minor units or pieces, found minus expected.
    """

    about: str
    order_id: str | None
    what: str
    expected: object
    found: object
    account: str = ""
    amount: int = 0


def of_order(
    order_id: str, what: str, expected: object, found: object, effect: tuple[str, int] = ("", 0)
) -> Difference:
    """Return a difference of an order; `effect` is the account whose sum it changes, and by how much."""
    return Difference(f"order {order_id}", order_id, what, expected, found, *effect)


Order = dict[str, Any]
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
"""A transaction's verb to the account it is about, and the sides it moves something from and to."""
_UNDONE_BY: Final = {"hold": "release", "charge": "refund", "capture": "return"}
_ENDED_BY: Final = {"hold": "sell", "charge": "settle", "capture": "earn"}
_ENTERED: Final = ("entered", "settled")


def leg_differences(order: Order) -> Iterator[Difference]:
    """Yield the legs of an order that are missing, too many or not what they must be."""
    books, names = order.get("books"), order["ledger"]
    sure = books in _ENTERED
    if sure:
        yield from _transactions(order, names, settled=books == "settled")
    certain = [leg for name in (names if sure else []) for leg in _legs(order, name)] + _adjustments(order)
    possible = certain if sure else certain + [leg for name in _possible(order) for leg in _legs(order, name)]
    expected = {leg["key"]: leg for leg in possible}
    entered = {leg["key"]: leg for leg in order["legs"]}
    for key, leg in entered.items():
        if key not in expected:
            yield stray_leg(leg, "a leg that must not be there")
        elif leg != expected[key]:
            must = expected[key]
            effect = (must["account"], leg["amount"] - must["amount"])
            yield of_order(
                order["order_id"], f"leg {key} is not as it must be", _text(must), _text(leg), effect
            )
    for leg in certain:
        if leg["key"] not in entered:
            yield Difference(
                leg["key"],
                order["order_id"],
                "a leg is missing",
                _text(leg),
                "nothing",
                leg["account"],
                -leg["amount"],
            )


def stray_leg(leg: dict[str, Any], what: str = "a leg of an order that does not exist") -> Difference:
    """Return the difference of a leg that must not be in the ledger."""
    return Difference(leg["key"], leg["order_id"], what, "nothing", _text(leg), leg["account"], leg["amount"])


def _transactions(order: Order, names: list[str], *, settled: bool) -> Iterator[Difference]:
    """Compare what was entered with how such an order ends: all of it, or each with what undid it."""
    begun = [name for name in names if _verb(name) in _UNDONE_BY]
    ends = _ENDED_BY if settled and order["state"] == "COMPLETED" else {}
    must = [_counterpart(name, _UNDONE_BY) for name in begun] if order["state"] == "FAILED" else []
    must += [_counterpart(name, ends) for name in begun if ends]
    if order["state"] == "COMPLETED":
        must += [f"hold.{line['product_id']}" for line in order["lines"]]
        if sum(_verb(name) in ("charge", "capture") for name in begun) != 1:
            what = "COMPLETED, but the ledger's transactions are"
            yield of_order(order["order_id"], what, "one charge or capture", ", ".join(names))
    expected = sorted({*begun, *must})
    if expected != sorted(set(names)):
        what = "the ledger's transactions are"
        yield of_order(order["order_id"], what, ", ".join(expected), ", ".join(sorted(names)))


def _verb(name: str) -> str:
    return name.partition(".")[0]


def _counterpart(name: str, verbs: dict[str, str]) -> str:
    verb, dot, rest = name.partition(".")
    return verbs[verb] + dot + rest


def _possible(order: Order) -> list[str]:
    products = [line["product_id"] for line in order["lines"]]
    names = [f"{verb}.{product}" for verb in ("hold", "release", "sell") for product in products]
    methods = {payment["method"] for payment in order["payments"]}
    names += [f"{verb}.{method}" for verb in ("capture", "return", "earn") for method in methods]
    return [*names, "charge", "refund", "settle"]


def _legs(order: Order, name: str) -> list[dict[str, Any]]:
    """Return the two legs of a transaction of this order, as the order itself says."""
    verb, _, rest = name.partition(".")
    if verb not in _MOVES:
        return []
    account, source, target = _MOVES[verb]
    stock = account.startswith("product")
    quantities = {line["product_id"]: line["quantity"] for line in order["lines"]}
    owner = account.format(rest or order["user_id"])
    amount = quantities.get(rest, 0) if stock else order["total"]
    unit = rest if stock else order["currency"]
    return [
        _leg(order, name, f"{owner}:{side}", unit, sign * amount)
        for side, sign in ((source, -1), (target, 1))
    ]


def _adjustments(order: Order) -> list[dict[str, Any]]:
    """Return the legs of what moved money of its payments later, which are entered at once."""
    legs = []
    for payment in order["payments"]:
        for entry in payment.get("adjustments", ()):
            amount = taken_away(entry)
            for side, sign in (("adjusted", -1), ("outside", 1)):
                account = f"{payment['method']}:{side}"
                name = f"adjust.{entry['id']}"
                legs.append(_leg(order, name, account, payment["currency"], sign * amount))
    return legs


def taken_away(adjustment: dict[str, Any]) -> int:
    """Return how much an adjustment takes away, in minor units; negative where it brings something back."""
    amount: int = adjustment["amount"]
    return amount if adjustment["kind"] in ("refund", "dispute") else -amount


def _leg(order: Order, name: str, account: str, unit: str, amount: int) -> dict[str, Any]:
    return {
        "key": f"{order['order_id']}:{name}:{account.rpartition(':')[2]}",
        "order_id": order["order_id"],
        "transaction": name,
        "account": account,
        "unit": unit,
        "amount": amount,
    }


def _text(leg: dict[str, Any]) -> str:
    return f"{leg['amount']} {leg['unit']} in {leg['account']}"
