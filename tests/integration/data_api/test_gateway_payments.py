"""Payments through a gateway, as the data API keeps them: every answer in every state, and who is late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import WriteError

from data_api.domain.payment import STATES, TRANSITIONS
from data_api.storage import orders, payments
from payment_data.errors import (
    DeadlineExceeded,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidOrder,
    InvalidRequest,
    OrderClosed,
    OrderNotFound,
    PaymentDeclined,
    PaymentNotUndone,
    Problem,
)
from tests.integration.data_api.interleaving import Interleaving
from tests.integration.data_api.shop import EXECUTION, Shop, later

WALLET = {"customer": "cus_canary", "card": "pm_canary"}
EVENTS = ("intent", "processing", "capture", "decline", "refund", "closure")
FIELDS = {"intent": {"payment_intent": "pi_1"}, "decline": {"reason": "expired_card"}}


class Cards:
    """Requests about the payment of one order."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.api = shop, shop.api
        shop.stock()
        shop.user(wallet=WALLET)
        shop.order()

    def open(self, attempt: int = 1, method: str = "card") -> dict[str, Any]:
        return self.api.open_payment("o1", attempt, execution=EXECUTION, deadline=later(), method=method)

    def follow(self, *events: str, attempt: int = 1) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for event in events:
            fields = {"execution": EXECUTION} | FIELDS.get(event, {})
            answer = self.api.follow_payment("o1", attempt, event, fields)
        return answer

    def undo(self) -> dict[str, Any]:
        return self.api.refund("o1", execution=EXECUTION, reason="test")

    def is_in(self, state: str) -> None:
        """Bring the payment into a state, from its beginning."""
        self.shop.reserve(method="card")
        self.open()
        self.follow("intent")
        if state in ("processing", "captured", "refunded"):
            self.follow("processing")
        if state in ("captured", "refunded"):
            self.follow("capture")
        if state == "declined":
            self.follow("decline")
        if state in ("void", "refunded"):
            self.undo()
        if state == "refunded":
            self.follow("refund")

    def expire(self) -> None:
        passed = {"$set": {"deadline": datetime.now(UTC) - timedelta(seconds=1)}}
        self.shop.db.orders.update_one({"_id": "o1"}, passed)
        self.shop.db.payments.update_many({}, passed)


@pytest.fixture
def cards(shop: Shop) -> Cards:
    return Cards(shop)


def test_a_payment_goes_from_its_intent_to_its_capture_and_the_order_is_paid(cards: Cards) -> None:
    # Given
    cards.shop.reserve(method="card")
    # When
    answers = [cards.open(), cards.follow("intent"), cards.follow("processing"), cards.follow("capture")]
    # Then
    assert [answer["state"] for answer in answers] == ["intent", "intent", "processing", "captured"]
    assert answers[-1] == {
        "order_id": "o1",
        "attempt": 1,
        "method": "card",
        "state": "captured",
        "amount": 250,
        "currency": "EUR",
        "payment_intent": "pi_1",
        "customer": "cus_canary",
        "payment_method": "pm_canary",
    }
    assert cards.shop.state() == "PAID"
    assert cards.api.payment("o1") == answers[-1]
    # And each change is in its history
    [document] = cards.shop.db.payments.find()
    assert [(entry["from"], entry["to"]) for entry in document["history"]] == [
        (None, "intent"),
        ("intent", "processing"),
        ("processing", "captured"),
    ]


# What each request answers in each state: the state afterwards, or the refusal.
ANSWERS: dict[str, dict[str, str | type[Problem]]] = {
    "intent": {"intent": "intent", "processing": "processing", "captured": "captured"},
    "processing": {"intent": "processing", "processing": "processing", "captured": "captured"},
    "capture": {
        **dict.fromkeys(("intent", "processing", "captured"), "captured"),
        "declined": IllegalTransition,
    },
    "decline": {
        "intent": "declined",
        "processing": "declined",
        "declined": "declined",
        "captured": IllegalTransition,
    },
    "refund": {
        "captured": "refunded",
        "void": "refunded",
        "refunded": "refunded",
        **dict.fromkeys(("intent", "processing", "declined"), IllegalTransition),
    },
}
ANSWERS["closure"] = {
    "void": "void",
    **dict.fromkeys(("intent", "processing", "captured", "declined", "refunded"), IllegalTransition),
}
OVER: dict[str, type[Problem]] = {"declined": PaymentDeclined, "void": OrderClosed, "refunded": OrderClosed}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_request_in_every_state_has_one_answer_that_stays(cards: Cards, state: str, event: str) -> None:
    # Given
    cards.is_in(state)
    expected = ANSWERS[event].get(state) or OVER[state]
    for _ in range(2):
        # When / Then
        if isinstance(expected, str):
            assert cards.follow(event)["state"] == expected
        else:
            with pytest.raises(expected):
                cards.follow(event)
    assert cards.api.payment("o1")["state"] == (expected if isinstance(expected, str) else state)


@pytest.mark.parametrize("source", STATES)
@pytest.mark.parametrize("target", STATES)
def test_a_change_that_the_diagram_does_not_have_cannot_be_asked_for(
    cards: Cards, source: str, target: str
) -> None:
    if target not in TRANSITIONS[source]:
        with pytest.raises(ValueError, match="no change"):
            payments.move(cards.shop.db, "o1", 1, {source}, target, execution=EXECUTION)


@pytest.mark.parametrize(("state", "error"), OVER.items())
def test_what_is_over_is_not_opened_again(cards: Cards, state: str, error: type[Problem]) -> None:
    # Given
    cards.is_in(state)
    # When / Then
    with pytest.raises(error):
        cards.open()


def test_what_was_opened_is_found_again_and_only_with_its_method(cards: Cards) -> None:
    # Given
    cards.shop.reserve(method="card")
    first = cards.open()
    # When / Then
    assert cards.open() == first
    with pytest.raises(IdempotencyMismatch):
        cards.open(method="bank_account")


def test_the_first_payment_intent_is_the_one_that_counts(cards: Cards) -> None:
    # Given
    cards.is_in("intent")
    # When
    fields = {"execution": EXECUTION, "payment_intent": "pi_2"}
    answer = cards.api.follow_payment("o1", 1, "intent", fields)
    # Then
    assert answer["payment_intent"] == "pi_1"


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (lambda _: None, IllegalTransition),  # nothing is reserved
        (lambda cards: (cards.shop.reserve(method="card"), cards.shop.release()), OrderClosed),
        (lambda cards: (cards.shop.reserve(method="card"), cards.expire()), DeadlineExceeded),
        (
            lambda cards: (cards.shop.reserve(method="card"), cards.shop.db.users.delete_many({})),
            InvalidOrder,
        ),
        (lambda cards: cards.shop.db.orders.delete_many({}), OrderNotFound),
    ],
)
def test_what_cannot_be_paid_is_not_opened(
    cards: Cards, prepare: Callable[[Cards], object], error: type[Problem]
) -> None:
    # Given
    prepare(cards)
    # When / Then
    with pytest.raises(error):
        cards.open()
    assert cards.shop.db.payments.count_documents({}) == 0


def test_another_attempt_needs_the_one_before_to_be_declined(cards: Cards) -> None:
    # Given
    cards.is_in("intent")
    with pytest.raises(IllegalTransition):
        cards.open(attempt=2)
    # When
    cards.follow("decline")
    # Then
    assert cards.open(attempt=2)["state"] == "intent"
    # And undoing finds it
    assert (cards.undo()["attempt"], cards.undo()["state"]) == (2, "void")


def test_the_deadline_no_longer_counts_once_the_bank_was_asked(cards: Cards) -> None:
    # Given
    cards.is_in("intent")
    cards.expire()
    with pytest.raises(DeadlineExceeded):
        cards.open()
    # When
    cards.follow("processing")
    # Then it may be captured and delivered
    assert cards.open()["state"] == "processing"
    cards.follow("capture")
    cards.shop.deliver()
    assert cards.shop.state() == "COMPLETED"


def test_undoing_bars_a_payment_that_was_never_opened(cards: Cards) -> None:
    # Given
    cards.shop.reserve(method="card")
    # When
    first, again = cards.undo(), cards.undo()
    # Then
    assert first == again
    assert (first["state"], first["amount"]) == ("void", 0)
    with pytest.raises(OrderClosed):
        cards.open()


def test_a_payment_opened_while_its_order_is_undone_is_barred(
    cards: Cards, interleaving: Interleaving
) -> None:
    # Given an opening that freezes just before its insert, and an undo meanwhile
    cards.shop.reserve(method="card")
    interleaving.before(payments, "insert", cards.undo)
    # When it goes on
    with pytest.raises(OrderClosed):
        cards.open()
    # Then
    assert cards.api.payment("o1")["state"] == "void"


def test_an_undo_that_freezes_finds_what_was_opened_meanwhile(
    cards: Cards, interleaving: Interleaving
) -> None:
    # Given an undo that freezes before its tombstone
    cards.shop.reserve(method="card")
    order = orders.get(cards.shop.db, "o1")
    interleaving.before(
        payments, "bar", lambda: payments.insert(cards.shop.db, order, 1, "card", {}, execution="e")
    )
    # When
    answer = cards.undo()
    # Then
    assert (answer["state"], answer["amount"]) == ("void", 250)


def test_a_capture_after_the_undo_is_refused_and_left_to_be_refunded(
    cards: Cards, interleaving: Interleaving
) -> None:
    # Given a capture that freezes between the payment and the order, and an undo meanwhile
    cards.is_in("processing")
    interleaving.before(orders, "advance_unread", cards.undo)
    # When it goes on
    with pytest.raises(OrderClosed):
        cards.follow("capture")
    # Then the undo has what was captured
    assert cards.undo()["state"] == "captured"
    assert cards.follow("refund")["state"] == "refunded"


def test_credit_is_never_charged_for_another_method(cards: Cards) -> None:
    cards.shop.reserve(method="card")
    with pytest.raises(InvalidRequest, match="method"):
        cards.api.charge("o1", execution=EXECUTION, deadline=later(), method="card", attempt=1)
    with pytest.raises(IdempotencyMismatch, match="card"):
        cards.shop.charge()


def test_a_gateway_is_never_asked_for_an_order_that_is_paid_by_credit(cards: Cards) -> None:
    cards.shop.reserve(method="credit")
    with pytest.raises(IdempotencyMismatch, match="credit"):
        cards.open()


@pytest.mark.parametrize("state", ["captured", "void"])
def test_an_order_does_not_fail_while_the_gateway_may_hold_money_of_it(cards: Cards, state: str) -> None:
    # Given a payment of another execution, captured or barred, of which nobody has asked the gateway
    cards.is_in(state)
    cards.shop.release()
    # When this execution ends the order
    with pytest.raises(PaymentNotUndone):
        cards.shop.fail()
    # Then it is not over
    assert cards.shop.state() == "CANCELLING"
    # And it is once the gateway gave the money back, or said that it has taken none
    cards.undo()
    cards.follow("refund" if state == "captured" else "closure")
    assert cards.shop.fail() == "FAILED"


def test_an_order_that_fails_bars_a_payment_that_nobody_opened(
    cards: Cards, interleaving: Interleaving
) -> None:
    # Given an opening that freezes just before its insert, and an execution that fails the order meanwhile
    cards.shop.reserve(method="card")

    def meanwhile() -> None:
        cards.shop.release()
        assert cards.shop.fail() == "FAILED"

    interleaving.before(payments, "insert", meanwhile)
    # When it goes on
    with pytest.raises(OrderClosed):
        cards.open()
    # Then
    assert cards.api.payment("o1")["state"] == "void"


@pytest.mark.parametrize("attempt", ["0", "100", "-1", "x", "01"])
def test_an_attempt_is_1_to_99(cards: Cards, call: Callable[..., Any], attempt: str) -> None:
    body = {"execution": EXECUTION, "deadline": later(), "method": "card"}
    assert call("PUT", f"/orders/o1/payments/{attempt}", body).status == 422


def test_a_user_shows_what_is_in_the_wallet_and_not_the_ids(cards: Cards) -> None:
    shown = cards.api.user("ann")
    assert shown["wallet"] == ["card", "customer"]
    assert "canary" not in str(shown)


@pytest.mark.parametrize("wrong", ["4242424242424242", "tok_visa", "pm_", "pm_a b", 7])
def test_a_wallet_holds_ids_of_the_gateway_alone(shop: Shop, wrong: object) -> None:
    with pytest.raises(InvalidRequest, match="card"):
        shop.user(wallet={"card": wrong})


def test_mongodb_refuses_a_payment_of_an_unknown_state(cards: Cards) -> None:
    cards.is_in("intent")
    with pytest.raises(WriteError):
        cards.shop.db.payments.update_one({}, {"$set": {"state": "paid"}})


def test_a_synthetic_order_takes_its_payments_along(shop: Shop) -> None:
    # Given
    shop.stock(synthetic=True)
    shop.user(synthetic=True, wallet=WALLET)
    shop.order(synthetic=True)
    shop.reserve(method="card")
    shop.api.open_payment("o1", 1, execution=EXECUTION, deadline=later(), method="card")
    # When
    shop.api.delete_order("o1")
    # Then
    assert shop.db.payments.count_documents({}) == 0
