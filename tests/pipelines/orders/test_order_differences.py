"""What does not fit in one order is found, and said with what must be there and what is there instead."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.orders.reconciliation.order_legs import Difference, stray_leg
from pipelines.orders.reconciliation.orders import order_differences, stray_payment
from pipelines.orders.reconciliation.reconcile import account_differences

if TYPE_CHECKING:
    from collections.abc import Callable

    Order = dict[str, Any]

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FORWARD = ("NEW", "RESERVED", "PAID", "COMPLETED")
UNDONE = ("NEW", "RESERVED", "PAID", "CANCELLING", "FAILED")
SIDES = {
    "hold.tea": ("product:tea", "available", "held", "tea", 2),
    "release.tea": ("product:tea", "held", "available", "tea", 2),
    "sell.tea": ("product:tea", "held", "sold", "tea", 2),
    "charge": ("user:ann", "balance", "charged", "EUR", 500),
    "refund": ("user:ann", "charged", "balance", "EUR", 500),
    "settle": ("user:ann", "charged", "spent", "EUR", 500),
    "capture.card": ("card", "outside", "captured", "EUR", 500),
    "return.card": ("card", "captured", "outside", "EUR", 500),
    "earn.card": ("card", "captured", "earned", "EUR", 500),
    "adjust.re_1": ("card", "adjusted", "outside", "EUR", 200),
}


def _legs(*names: str) -> list[dict[str, Any]]:
    """Return a ledger's legs of an order's transactions, each from one side of an account to another."""
    return [
        {
            "key": f"o1:{name}:{side}",
            "order_id": "o1",
            "transaction": name,
            "account": f"{account}:{side}",
            "unit": unit,
            "amount": sign * amount,
        }
        for name in names
        for account, source, target, unit, amount in [SIDES[name]]
        for side, sign in ((source, -1), (target, 1))
    ]


def _order(states: tuple[str, ...], names: tuple[str, ...], **fields: Any) -> Order:
    moves = [{"to": states[0]}, *({"from": a, "to": b} for a, b in pairwise(states))]
    return {
        "order_id": "o1",
        "user_id": "ann",
        "currency": "EUR",
        "total": 500,
        "state": states[-1],
        "created_at": (NOW - timedelta(hours=3)).isoformat(),
        "updated_at": (NOW - timedelta(hours=2)).isoformat(),
        "synthetic": False,
        "as_created": True,
        "as_paid": True,
        "as_failed": True,
        "in_time": True,
        "unknown": [],
        "other_currency": [],
        "other_price": [],
        "history": moves,
        "books": "entered",
        "paid_by": "credit",
        "ledger": list(names),
        "legs": _legs(*names),
        "payments": [],
        "lines": [{"product_id": "tea", "quantity": 2, "price": 250, "delivery_address": "1 Row"}],
        "deliveries": [],
    } | copy.deepcopy(fields)


def _with(order: Order, *, hold: str = "", operation: str = "", delivered: str = "", card: str = "") -> Order:
    """Give an order its records, each in a state."""
    if hold:
        order["lines"][0]["hold"] = {"state": hold, "amount": 2}
    if operation:
        order["operation"] = {"state": operation, "amount": 500}
    if delivered:
        delivery = {"line": 0, "product_id": "tea", "quantity": 2, "delivery_address": "1 Row"}
        order["deliveries"] = [delivery | {"state": delivered}]
    if card:
        order["paid_by"] = "card"
        payment = {"attempt": 1, "method": "card", "currency": "EUR", "amount": 500, "state": card}
        order["payments"] = [payment | {"in_order": True, "payment_intent": "pi_1", "adjustments": []}]
    return order


def _completed() -> Order:
    order = _order(FORWARD, ("hold.tea", "charge"))
    return _with(order, hold="held", operation="charged", delivered="arranged")


def _by_card() -> Order:
    order = _order(FORWARD, ("hold.tea", "capture.card"))
    return _with(order, hold="held", delivered="arranged", card="captured")


def _settled() -> Order:
    names = ("hold.tea", "charge", "sell.tea", "settle")
    return _with(_order(FORWARD, names, books="settled"), operation="charged", delivered="arranged")


def _failed() -> Order:
    names = ("hold.tea", "charge", "refund", "release.tea")
    return _with(_order(UNDONE, names), hold="void", operation="refunded", delivered="cancelled")


def _paid() -> Order:
    order = _order(FORWARD[:3], (), deadline=(NOW + timedelta(minutes=1)).isoformat())
    del order["books"]
    return _with(order, hold="held", operation="charged")


def _at(hours: float, seconds: float = 0) -> str:
    return (NOW + timedelta(hours=hours, seconds=seconds)).isoformat()


def _closing() -> Order:
    """An order that is being undone, and was never reserved."""
    order = _order(("NEW", "CANCELLING"), (), paid_by=None)
    del order["books"]
    return order


def _by_bank() -> Order:
    """An order whose bank has not answered, long after its deadline."""
    order = _order(FORWARD[:2], (), updated_at=_at(-2), deadline=_at(-2, 60))
    del order["books"]
    _with(order, hold="held", card="processing")
    order["paid_by"] = _payment(order)["method"] = "bank_account"
    return order


def _barred() -> Order:
    """An order that failed, and of which Stripe never took anything."""
    order = _with(_order(UNDONE, ("hold.tea", "release.tea")), hold="void", card="void")
    _payment(order)["closed"] = True
    return order


def _later_refund() -> Order:
    order = _by_card()
    order["payments"][0]["adjustments"] = [{"id": "re_1", "kind": "refund", "amount": 200}]
    order["legs"] += _legs("adjust.re_1")
    return order


def _won_dispute() -> Order:
    """An order whose bank took 200 back and gave them again: the second leg has the other sign."""
    order = _later_refund()
    order["payments"][0]["adjustments"].append({"id": "du_1-won", "kind": "dispute_won", "amount": 200})
    for leg in _legs("adjust.re_1"):
        key = leg["key"].replace("re_1", "du_1-won")
        order["legs"].append(leg | {"key": key, "transaction": "adjust.du_1-won", "amount": -leg["amount"]})
    return order


def _new() -> Order:
    order = _order(FORWARD[:1], (), updated_at=(NOW - timedelta(days=30)).isoformat(), paid_by=None)
    del order["books"]
    return order


def _settled_by_card() -> Order:
    names = ("hold.tea", "capture.card", "sell.tea", "earn.card")
    return _with(_order(FORWARD, names, books="settled"), delivered="arranged", card="captured")


def _returned() -> Order:
    names = ("hold.tea", "capture.card", "return.card", "release.tea")
    return _with(_order(UNDONE, names), hold="void", card="refunded")


SOUND = [
    _completed,
    _by_card,
    _settled,
    _settled_by_card,
    _failed,
    _returned,
    _paid,
    _later_refund,
    _won_dispute,
    _new,
    _closing,
    _by_bank,
    _barred,
]


@pytest.mark.parametrize("make", SOUND, ids=[make.__name__ for make in SOUND])
def test_a_sound_order_has_no_difference(make: Callable[[], Order]) -> None:
    assert [*order_differences(make(), NOW)] == []


def _of(what: str, expected: object, found: object, account: str = "", amount: int = 0) -> Difference:
    return Difference("order o1", "o1", what, expected, found, account, amount)


def _payment(order: Order) -> dict[str, Any]:
    payment: dict[str, Any] = order["payments"][0]
    return payment


BROKEN: list[tuple[Callable[[], Order], Callable[[Order], object], list[Difference]]] = [
    (
        _completed,
        lambda order: order.update(as_created=False),
        [_of("its payer, currency or lines", "as it was created", "changed since")],
    ),
    (
        _completed,
        lambda order: order.update(synthetic=True),
        [_of("only smoke executions make synthetic orders", "not synthetic", "synthetic")],
    ),
    (
        _completed,
        lambda order: order.update(unknown=["user:ann"]),
        [Difference("user:ann", "o1", "an order took from it", "there", "gone")],
    ),
    (_new, lambda order: order.update(unknown=["user:ann", "product:tea"]), []),
    (
        _paid,
        lambda order: order.update(other_currency=["user:ann"]),
        [Difference("user:ann", "o1", "paid, but its currency is", "EUR", "another")],
    ),
    (_new, lambda order: order.update(other_currency=["user:ann"]), []),
    (
        _paid,
        lambda order: order.update(other_price=["product:tea"]),
        [Difference("product:tea", "o1", "an order held it at a price", "that it had", "another")],
    ),
    (_new, lambda order: order.update(other_price=["product:tea"]), []),
    (
        _failed,
        lambda order: order.update(as_failed=False),
        [_of("the reasons in its history", "those of its decision and failures", "others")],
    ),
    (
        _completed,
        lambda order: order.update(as_paid=False),
        [_of("what it was paid with", "credit, 500 EUR", "something else, or nothing")],
    ),
    (
        _new,
        lambda order: order.update(total=501),
        [_of("its total is not what its lines cost", 500, 501)],
    ),
    (
        _completed,
        lambda order: order["history"].pop(1),
        [_of("its history", "every change from NEW on", "NEW → PAID → COMPLETED")],
    ),
    (
        _completed,
        lambda order: order["history"].pop(0),
        [_of("its history", "every change from NEW on", "RESERVED → PAID → COMPLETED")],
    ),
    (
        _completed,
        lambda order: order["history"].pop(),
        [_of("its history ends with another state", "COMPLETED", "NEW → RESERVED → PAID")],
    ),
    (
        _new,
        lambda order: order["history"][0].update({"from": "PAID"}),
        [_of("its history", "every change from NEW on", "NEW")],
    ),
    (
        _new,
        lambda order: order["history"][0].update(to="RESERVED"),
        [_of("its history", "every change from NEW on", "RESERVED")],
    ),
    (_new, lambda order: order["history"].clear(), [_of("its history", "every change from NEW on", "")]),
    (
        _completed,
        lambda order: order.update(in_time=False),
        [_of("its times, of its changes of state and its legs", "in the order of time", "not")],
    ),
    (
        _paid,
        lambda order: order.update(deadline=(NOW - timedelta(seconds=1)).isoformat()),
        [
            _of(
                "not ended, and its deadline was 2026-11-30 11:59:59 UTC",
                "COMPLETED or FAILED",
                "PAID",
            )
        ],
    ),
    (
        _paid,
        lambda order: order.pop("deadline"),
        [_of("PAID, but its deadline is", "a day after its last change at most", None)],
    ),
    (
        _paid,
        lambda order: order.update(deadline=_at(22, 60)),
        [],
    ),
    (
        _paid,
        lambda order: order.update(deadline=_at(22, 61)),
        [_of("PAID, but its deadline is", "a day after its last change at most", _at(22, 61))],
    ),
    (_closing, lambda order: order.update(updated_at=_at(-24)), []),
    (
        _closing,
        lambda order: order.update(updated_at=_at(-24, -1)),
        [
            _of(
                "not ended, and its deadline was 2026-11-30 11:59:59 UTC",
                "COMPLETED or FAILED",
                "CANCELLING",
            )
        ],
    ),
    (_by_bank, lambda order: order.update(updated_at=_at(-24 * 24), deadline=_at(-24 * 24)), []),
    (
        _by_bank,
        lambda order: order.update(updated_at=_at(-24 * 24, -1), deadline=_at(-24 * 24)),
        [
            _of(
                "not ended, and its deadline was 2026-11-30 11:59:59 UTC",
                "COMPLETED or FAILED",
                "RESERVED",
            )
        ],
    ),
    (
        _by_bank,
        lambda order: _payment(order).update(state="intent"),
        [
            _of(
                "not ended, and its deadline was 2026-11-30 10:01:00 UTC",
                "COMPLETED or FAILED",
                "RESERVED",
            )
        ],
    ),
    (
        _barred,
        lambda order: _payment(order).pop("closed"),
        [_of("payment 1 is void, but that Stripe closed it is", "on record", "unknown")],
    ),
    (
        _settled,
        lambda order: order["operation"].update(amount=499),
        [_of("COMPLETED, but it is charged", 500, 499, "user:ann:charged", -1)],
    ),
    (
        _paid,
        lambda order: order["lines"][0]["hold"].update(amount=3),
        [_of("PAID, but of tea it holds", 2, 3, "product:tea:held", 1)],
    ),
    (
        _completed,
        lambda order: order["lines"][0]["hold"].update(state="void"),
        [_of("COMPLETED, but of tea it holds", 2, 0, "product:tea:held", -2)],
    ),
    (
        _failed,
        lambda order: order["lines"][0]["hold"].update(state="held"),
        [_of("FAILED, but of tea it holds", 0, 2, "product:tea:held", 2)],
    ),
    (
        _paid,
        lambda order: order.update(paid_by=None),
        [_of("PAID, but how it is paid is", "on record", "unknown")],
    ),
    (
        _by_card,
        lambda order: _payment(order).update(attempt=2),
        [_of("its attempts to pay are", [1], [2])],
    ),
    (
        _by_card,
        lambda order: _payment(order).update(in_order=False),
        [_of("the history of payment 1", "every change to captured", "not")],
    ),
    (
        _by_card,
        lambda order: _payment(order).update(currency="USD"),
        [_of("payment 1 is in", "EUR", "USD")],
    ),
    (
        _by_card,
        lambda order: _payment(order).update(amount=499),
        [
            _of("payment 1 is over", 500, 499),
            _of("COMPLETED, but it is charged", 500, 499, "user:ann:charged", -1),
        ],
    ),
    (
        _by_card,
        lambda order: _payment(order).pop("payment_intent"),
        [_of("payment 1 is captured, but its PaymentIntent is", "on record", "unknown")],
    ),
    (
        _by_card,
        lambda order: order.update(operation={"state": "declined", "amount": 500}),
        [_of("paid by card, but on its payer's credit there is", "nothing", "a record")],
    ),
    (
        _completed,
        lambda order: order.pop("operation"),
        [_of("COMPLETED, but it is charged", 500, 0, "user:ann:charged", -500)],
    ),
    (
        _new,
        lambda order: order.update(operation={"state": "charged", "amount": 500}),
        [_of("NEW, but it is charged", 0, 500, "user:ann:charged", 500)],
    ),
    (
        _paid,
        lambda order: order["operation"].update(amount=501),
        [_of("PAID, but it is charged", 500, 501, "user:ann:charged", 1)],
    ),
    (
        _completed,
        lambda order: order["deliveries"].clear(),
        [_of("COMPLETED, but delivered are lines", [0], [])],
    ),
    (
        _failed,
        lambda order: order["deliveries"][0].update(state="arranged"),
        [_of("FAILED, but delivered are lines", [], [0])],
    ),
    (
        _completed,
        lambda order: order["deliveries"][0].update(quantity=1, delivery_address="2 Row"),
        [
            _of(
                "the delivery of line 0 has another quantity, delivery_address",
                "as it was ordered",
                "something else",
            )
        ],
    ),
    (
        _completed,
        lambda order: order["deliveries"].append(order["deliveries"][0] | {"line": 1}),
        [_of("COMPLETED, but delivered are lines", [0], [0, 1])],
    ),
    (
        _completed,
        lambda order: order["legs"].pop(),
        [
            Difference(
                "o1:charge:charged",
                "o1",
                "a leg is missing",
                "500 EUR in user:ann:charged",
                "nothing",
                "user:ann:charged",
                -500,
            )
        ],
    ),
    (
        _completed,
        lambda order: order["legs"][0].update(amount=-3),
        [
            _of(
                "leg o1:hold.tea:available is not as it must be",
                "-2 tea in product:tea:available",
                "-3 tea in product:tea:available",
                "product:tea:available",
                -1,
            )
        ],
    ),
    (
        _later_refund,
        lambda order: order["payments"][0]["adjustments"][0].update(kind="refund_failed"),
        [
            _of(
                f"leg o1:adjust.re_1:{side} is not as it must be",
                f"{-amount} EUR in card:{side}",
                f"{amount} EUR in card:{side}",
                f"card:{side}",
                2 * amount,
            )
            for side, amount in (("adjusted", -200), ("outside", 200))
        ],
    ),
    (
        _settled,
        lambda order: order.update(
            ledger=["hold.tea", "charge", "sell.tea"], legs=_legs("hold.tea", "charge", "sell.tea")
        ),
        [
            _of(
                "the ledger's transactions are",
                "charge, hold.tea, sell.tea, settle",
                "charge, hold.tea, sell.tea",
            )
        ],
    ),
    (
        _failed,
        lambda order: order.update(
            ledger=["hold.tea", "release.tea", "charge"], legs=_legs("hold.tea", "release.tea", "charge")
        ),
        [
            _of(
                "the ledger's transactions are",
                "charge, hold.tea, refund, release.tea",
                "charge, hold.tea, release.tea",
            )
        ],
    ),
    (
        _completed,
        lambda order: order.update(ledger=["hold.tea"], legs=_legs("hold.tea")),
        [_of("COMPLETED, but the ledger's transactions are", "one charge or capture", "hold.tea")],
    ),
]


@pytest.mark.parametrize(("make", "break_it", "named"), BROKEN)
def test_a_broken_order_is_named_with_what_must_be_and_what_is(
    make: Callable[[], Order], break_it: Callable[[Order], object], named: list[Difference]
) -> None:
    # Given a sound order
    order = make()
    # When something of it is changed
    break_it(order)
    # Then that is said, and nothing else
    assert [*order_differences(order, NOW)] == named


def test_what_may_be_entered_already_is_no_stray_leg_and_anything_else_is() -> None:
    # Given an order under way, whose legs may be entered at any moment
    order = _paid()
    order["legs"] = _legs("hold.tea", "charge")
    assert [*order_differences(order, NOW)] == []
    # When there is a leg of a product that it does not have
    leg = _legs("hold.tea")[0] | {"key": "o1:hold.fig:available", "account": "product:fig:available"}
    order["legs"].append(leg)
    # Then
    [difference] = order_differences(order, NOW)
    assert difference == stray_leg(leg, "a leg that must not be there")
    assert (difference.found, difference.amount) == ("-2 tea in product:fig:available", -2)


def test_a_leg_of_a_product_that_was_not_ordered_should_be_of_nothing() -> None:
    # Given a ledger that names a hold of a product which is no line of the order
    order = _completed()
    order["ledger"].append("hold.fig")
    for side, amount in (("available", -2), ("held", 2)):
        leg = _legs("hold.tea")[0] | {"key": f"o1:hold.fig:{side}", "transaction": "hold.fig", "unit": "fig"}
        order["legs"].append(leg | {"account": f"product:fig:{side}", "amount": amount})
    # When, then
    differences = [*order_differences(order, NOW)]
    assert [(d.expected, d.amount) for d in differences] == [
        ("0 fig in product:fig:available", -2),
        ("0 fig in product:fig:held", 2),
    ]


def test_a_payment_without_an_order_is_named() -> None:
    payment = {"order_id": "o9", "attempt": 2, "amount": 7, "currency": "EUR", "state": "captured"}
    difference = stray_payment(payment)
    what = "a payment of an order that does not exist"
    assert difference == Difference("payment o9:2", "o9", what, "nothing", "7 EUR captured")


ACCOUNT: dict[str, Any] = {
    "id": "tea", "strays": [], "as_opened": True, "opening": 10, "free": 5, "taken": 3, "gone": 2,
    "books": "entered", "pending": 1, "ledger": {"free": 6, "taken": 2, "gone": 2, "opening": -10},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, []),
        ({"books": None, "ledger": {}}, []),
        ({"strays": ["o7"]}, [("o7", "none", "a record", "", 0)]),
        ({"as_opened": False}, [(None, "as it was created", "changed since", "", 0)]),
        ({"books": "synthetic"}, [(None, "not synthetic", "synthetic", "", 0)]),
        ({"free": 6, "books": None}, [("o1", 10, 11, "product:tea", 1)]),
        ({"ledger": ACCOUNT["ledger"] | {"free": 5}}, [("o1", 5, 6, "product:tea:available", 1)]),
        ({"ledger": ACCOUNT["ledger"] | {"taken": 4}}, [("o1", 4, 2, "product:tea:held", -2)]),
        ({"ledger": ACCOUNT["ledger"] | {"gone": 3}}, [("o1", 3, 2, "product:tea:sold", -1)]),
        ({"ledger": ACCOUNT["ledger"] | {"opening": 0}}, [("o1", 0, -10, "product:tea:opening", -10)]),
    ],
)
def test_a_sum_that_does_not_fit_is_named_with_the_order_that_explains_it(
    change: dict[str, Any], named: list[tuple[object, ...]]
) -> None:
    # Given differences of two orders, of which one changes the sums of this product
    earlier = [
        _of("holds", 2, 0, "product:tea:held", -2),
        Difference("order o2", "o2", "holds", 2, 0, "product:teapot:held", -2),
        Difference("order o3", "o3", "its history", "", ""),
    ]
    # When, then
    differences = account_differences("products", ACCOUNT | change, earlier)
    assert [(d.order_id, d.expected, d.found, d.account, d.amount) for d in differences] == named


def test_what_has_no_opening_is_named_once() -> None:
    account = {key: value for key, value in ACCOUNT.items() if key != "opening"}
    [difference] = account_differences("users", account, [])
    assert (difference.about, difference.expected, difference.found) == ("user:tea", "an opening", "none")
