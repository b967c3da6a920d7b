"""Paying and undoing through Stripe, against records and a Stripe in memory."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from payment_data.client import DataApi, Response
from payment_data.errors import OutcomeUnknown, PaymentDeclined, PaymentPending, UnexpectedResponse
from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.registry import BANK_ACCOUNT, CARD
from payment_data.payment_methods.stripe_intents import Disputed, Intent, KeySpent, Refund, Refused
from payment_data.payment_methods.stripe_payment import Means, StripePayment
from payment_data.payment_methods.stripe_records import PaymentAttempt, PaymentRecords

ATTEMPT = PaymentAttempt("o1", 1, "intent", 1999, "EUR", customer="cus_1", payment_method="pm_1")
CHARGE = Charge("o1", "arn:e", "2026-01-31T12:00:00Z")


class Records(PaymentRecords):
    """One record; every call is noted, and a change is kept as the data API keeps it."""

    def __init__(self, attempt: PaymentAttempt) -> None:
        super().__init__(DataApi(lambda *_: Response(500, b"")))
        self.attempt = attempt
        self.calls: list[str] = []

    def _note(self, call: str, **changes: Any) -> PaymentAttempt:
        self.calls.append(call)
        self.attempt = self.attempt._replace(**changes)
        return self.attempt

    def open(self, charge: Charge, method: str) -> PaymentAttempt:
        return self._note(f"open {charge.order_id} {method}")

    def save(self, record: PaymentAttempt, payment_intent: str, *, execution: str) -> PaymentAttempt:
        return self._note(f"save {payment_intent} {execution}", payment_intent=payment_intent)

    def processing(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        return self._note(f"processing {execution}", state="processing")

    def capture(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        return self._note(f"capture {execution}", state="captured")

    def decline(self, record: PaymentAttempt, reason: str, *, execution: str) -> PaymentAttempt:
        return self._note(f"decline {execution}", state="declined", reason=reason)

    def void(self, order_id: str, *, execution: str, reason: str) -> PaymentAttempt:
        barred = {"intent": "void", "processing": "void"}
        return self._note(f"void {reason}", state=barred.get(self.attempt.state, self.attempt.state))

    def closed(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        return self._note(f"closed {execution}")

    def refunded(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        return self._note(f"refunded {execution}", state="refunded")

    def find(self, order_id: str) -> PaymentAttempt:
        return self.attempt


class Stripe:
    """PaymentIntents whose answers are set by a test; every call is noted."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.params: list[Mapping[str, Any]] = []
        self.refuses: str | None = None
        self.confirmed = Intent("pi_1", "succeeded")
        self.canceled = Intent("pi_1", "canceled")
        self.retrieved = Intent("pi_1", "succeeded")
        self.listed: list[Refund] = []
        self.spent: set[str] = set()
        self.refund_status = "succeeded"
        self.withdrawn: int | None = None
        self.made: dict[str, Refund] = {}

    def create(self, key: str, params: Mapping[str, Any]) -> Intent:
        self.calls.append(f"create {key}")
        self.params.append(params)
        if self.refuses:
            raise Refused(self.refuses)
        return Intent("pi_1", "requires_confirmation")

    def confirm(self, intent_id: str, params: Mapping[str, Any]) -> Intent:
        self.calls.append(f"confirm {intent_id}")
        self.params.append(params)
        return self.confirmed

    def cancel(self, intent_id: str) -> Intent:
        self.calls.append(f"cancel {intent_id}")
        return self.canceled

    def retrieve(self, intent_id: str) -> Intent:
        self.calls.append(f"retrieve {intent_id}")
        return self.retrieved

    def refunds(self, intent_id: str) -> Sequence[Refund]:
        self.calls.append(f"refunds {intent_id}")
        return self.listed

    def refund(self, key: str, intent_id: str, amount: int) -> Refund | None:
        self.calls.append(f"refund {key} {intent_id} {amount}")
        if key in self.spent:
            raise KeySpent(key)
        if self.withdrawn is not None:
            raise Disputed(intent_id)
        if key not in self.made:
            self.made[key] = Refund(f"re_{len(self.made) + 1}", self.refund_status, amount)
        return self.made[key]

    def disputed(self, intent_id: str) -> int:
        self.calls.append(f"disputed {intent_id}")
        return self.withdrawn or 0

    def refund_keys(self) -> list[str]:
        return [call.split()[1] for call in self.calls if call.startswith("refund ")]


def desk(
    means: Means = CARD, clock: Callable[[], float] = lambda: 0.0, **changes: Any
) -> tuple[StripePayment, Records, Stripe]:
    records, stripe = Records(ATTEMPT._replace(**changes)), Stripe()
    return StripePayment(means, records, stripe, clock), records, stripe


def refund(payment: StripePayment) -> dict[str, Any]:
    return payment.refund("o1", execution="arn:e", reason="OutOfStock")


def test_a_charge_saves_the_payment_intent_before_it_confirms_it() -> None:
    # Given
    payment, records, stripe = desk()
    # When
    answer = payment.charge(CHARGE)
    # Then
    assert records.calls == ["open o1 card", "save pi_1 arn:e", "capture arn:e"]
    assert stripe.calls == ["create o1:1:pi", "confirm pi_1"]
    assert stripe.params == [
        {
            "amount": 1999,
            "currency": "eur",
            "customer": "cus_1",
            "description": "Order o1",
            "metadata": {"order_id": "o1", "attempt": "1"},
            "payment_method": "pm_1",
            "payment_method_types": ["card"],
        },
        {"off_session": True},
    ]
    assert answer == {
        "order_id": "o1",
        "state": "charged",
        "amount": 1999,
        "currency": "EUR",
        "method": "card",
    }


@pytest.mark.parametrize(
    ("means", "type_", "confirmed_with"),
    [
        (CARD, "card", {"error_on_requires_action": True}),
        (BANK_ACCOUNT, "sepa_debit", {"mandate_data": {"customer_acceptance": {"type": "offline"}}}),
    ],
)
def test_a_shopper_who_is_not_saved_is_charged_with_the_means_own_parameters(
    means: Means, type_: str, confirmed_with: Any
) -> None:
    # Given
    payment, _, stripe = desk(means, customer=None)
    # When
    answer = payment.charge(CHARGE)
    # Then
    created, confirmed = stripe.params
    assert "customer" not in created
    assert created["payment_method_types"] == [type_]
    assert (confirmed, answer["method"]) == (confirmed_with, means.name)


def test_stripe_is_asked_in_its_own_units_and_we_answer_in_ours() -> None:
    # Given 5,000 krónur, which Stripe counts in hundredths
    payment, _, stripe = desk(amount=5000, currency="ISK")
    # When
    answer = payment.charge(CHARGE)
    # Then
    assert (stripe.params[0]["amount"], stripe.params[0]["currency"]) == (500_000, "isk")
    assert (answer["amount"], answer["currency"]) == (5000, "ISK")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payment_method": None}, "payment_method_missing"),
        ({"amount": 5125, "currency": "KWD"}, "amount_not_representable"),
        ({"amount": 49}, "amount_too_small"),
        ({"currency": "IRR"}, "currency_not_supported"),
    ],
)
def test_what_cannot_be_charged_is_declined_without_asking_stripe(changes: Any, reason: str) -> None:
    # Given
    payment, records, stripe = desk(**changes)
    # When
    with pytest.raises(PaymentDeclined, match=f"^{reason}$"):
        payment.charge(CHARGE)
    # Then
    assert records.attempt.state == "declined"
    assert stripe.calls == []


def test_a_bank_account_is_charged_in_euros_alone() -> None:
    payment, _, stripe = desk(BANK_ACCOUNT, currency="USD")
    with pytest.raises(PaymentDeclined, match="currency_not_supported"):
        payment.charge(CHARGE)
    assert stripe.calls == []


def test_a_refusal_at_creation_is_a_decline_with_its_reason() -> None:
    # Given
    payment, records, stripe = desk()
    stripe.refuses = "payment_method_unknown"
    # When
    with pytest.raises(PaymentDeclined, match="payment_method_unknown"):
        payment.charge(CHARGE)
    # Then nothing was saved or confirmed
    assert records.calls == ["open o1 card", "decline arn:e"]
    assert stripe.calls == ["create o1:1:pi"]


def test_a_captured_attempt_is_not_charged_again() -> None:
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    assert payment.charge(CHARGE)["state"] == "charged"
    assert stripe.calls == []
    assert records.calls == ["open o1 card", "capture arn:e"]


def test_a_payment_intent_that_is_saved_is_confirmed_and_none_is_made() -> None:
    payment, _, stripe = desk(payment_intent="pi_0")
    payment.charge(CHARGE)
    assert stripe.calls == ["confirm pi_0"]


def test_a_decline_is_closed_at_stripe_before_it_is_recorded() -> None:
    # Given a card that is refused, which could be confirmed again with another
    payment, records, stripe = desk()
    stripe.confirmed = Intent("pi_1", "requires_payment_method", "insufficient_funds")
    # When
    with pytest.raises(PaymentDeclined, match=r"^insufficient_funds$"):
        payment.charge(CHARGE)
    # Then
    assert stripe.calls[-1] == "cancel pi_1"
    assert records.attempt == ATTEMPT._replace(
        state="declined", reason="insufficient_funds", payment_intent="pi_1"
    )


def test_a_status_without_a_reason_is_the_reason() -> None:
    payment, _, stripe = desk()
    stripe.confirmed = Intent("pi_1", "requires_action")
    with pytest.raises(PaymentDeclined, match=r"^requires_action$"):
        payment.charge(CHARGE)


def test_a_payment_intent_that_succeeds_while_it_is_closed_is_a_payment() -> None:
    payment, _, stripe = desk()
    stripe.confirmed = Intent("pi_1", "requires_action")
    stripe.canceled = Intent("pi_1", "succeeded")
    assert payment.charge(CHARGE)["state"] == "charged"


def test_a_closed_payment_intent_is_a_decline() -> None:
    payment, _, stripe = desk(payment_intent="pi_1")
    stripe.confirmed = Intent("pi_1", "canceled")
    with pytest.raises(PaymentDeclined, match=r"^canceled$"):
        payment.charge(CHARGE)
    assert "cancel pi_1" not in stripe.calls


def test_a_bank_that_has_not_answered_is_waited_for() -> None:
    # Given
    payment, records, stripe = desk(BANK_ACCOUNT)
    stripe.confirmed = Intent("pi_1", "processing")
    # When
    with pytest.raises(PaymentPending, match="pi_1 is processing"):
        payment.charge(CHARGE)
    # Then it is on record, and asked about from then on
    assert records.attempt.state == "processing"
    stripe.calls.clear()
    assert payment.charge(CHARGE)["state"] == "charged"
    assert stripe.calls == ["retrieve pi_1"]


@pytest.mark.parametrize("status", ["processing", "succeeded"])
def test_a_debit_that_is_closed_too_late_is_waited_for_or_paid(status: str) -> None:
    payment, _, stripe = desk(BANK_ACCOUNT)
    stripe.confirmed = Intent("pi_1", "requires_action")
    stripe.canceled = Intent("pi_1", status)
    if status == "succeeded":
        assert payment.charge(CHARGE)["state"] == "charged"
    else:
        with pytest.raises(PaymentPending):
            payment.charge(CHARGE)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("declined", "declined"), ("void", "void"), ("refunded", "refunded"), ("none", "none")],
)
def test_the_outcome_of_a_payment_that_is_over_is_its_record(state: str, outcome: str) -> None:
    payment, _, stripe = desk(state=state, payment_intent="pi_1")
    assert payment.outcome("o1")["state"] == outcome
    assert stripe.calls == []


@pytest.mark.parametrize(
    ("state", "status", "outcome"),
    [
        ("intent", "succeeded", "charged"),
        ("processing", "succeeded", "charged"),
        ("processing", "processing", "pending"),
        ("intent", "requires_action", "pending"),
    ],
)
def test_the_outcome_of_a_payment_under_way_is_asked_of_stripe(state: str, status: str, outcome: str) -> None:
    payment, _, stripe = desk(state=state, payment_intent="pi_1")
    stripe.retrieved = Intent("pi_1", status)
    assert payment.outcome("o1")["state"] == outcome


def test_a_payment_without_a_payment_intent_is_pending_and_nothing_is_asked() -> None:
    payment, _, stripe = desk()
    assert payment.outcome("o1")["state"] == "pending"
    assert stripe.calls == []


def test_a_captured_payment_is_refunded_in_full_and_recorded() -> None:
    # Given
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    # When
    answer = refund(payment)
    # Then
    assert records.calls == ["void OutOfStock", "refunded arn:e"]
    assert stripe.calls == ["refunds pi_1", "refund o1:1:refund pi_1 1999"]
    assert (answer["state"], answer["amount"]) == ("refunded", 1999)


def test_what_a_dispute_took_is_given_back_already() -> None:
    # Given a payment whose shopper went to the bank before the order was undone
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.withdrawn = 1999
    # When
    answer = refund(payment)
    # Then
    assert stripe.calls[-1] == "disputed pi_1"
    assert (records.calls[-1], answer["state"]) == ("refunded arn:e", "refunded")


@pytest.mark.parametrize("withdrawn", [0, 1998])
def test_a_dispute_that_took_less_leaves_the_order_to_a_person(withdrawn: int) -> None:
    # Given a dispute of a part, or one that was won
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.withdrawn = withdrawn
    # When; Then
    with pytest.raises(UnexpectedResponse, match=f"disputes took {withdrawn} of 1999"):
        refund(payment)
    assert records.attempt.state == "captured"


def test_a_refund_is_in_stripes_units() -> None:
    payment, _, stripe = desk(state="captured", payment_intent="pi_1", amount=5_000_000, currency="MGA")
    refund(payment)
    assert stripe.calls[-1] == "refund o1:1:refund pi_1 50000"


@pytest.mark.parametrize("state", ["declined", "refunded", "none"])
def test_what_holds_no_money_is_not_refunded(state: str) -> None:
    payment, records, stripe = desk(state=state, payment_intent="pi_1")
    assert refund(payment)["state"] == state
    assert stripe.calls == []
    assert records.calls == ["void OutOfStock"]


def test_a_payment_that_was_never_begun_is_barred_and_nothing_is_asked() -> None:
    payment, _, stripe = desk()
    assert refund(payment)["state"] == "void"
    assert stripe.calls == []


def test_an_unconfirmed_payment_is_closed_at_stripe_and_not_refunded() -> None:
    payment, records, stripe = desk(payment_intent="pi_1")
    assert refund(payment)["state"] == "void"
    assert stripe.calls == ["cancel pi_1"]
    assert records.calls == ["void OutOfStock", "closed arn:e"]


def test_a_payment_that_was_taken_and_not_recorded_is_refunded() -> None:
    payment, records, stripe = desk(payment_intent="pi_1")
    stripe.canceled = Intent("pi_1", "succeeded")
    assert refund(payment)["state"] == "refunded"
    assert records.calls[-1] == "refunded arn:e"


def test_the_undo_of_a_debit_waits_for_the_bank() -> None:
    payment, records, stripe = desk(BANK_ACCOUNT, payment_intent="pi_1")
    stripe.canceled = Intent("pi_1", "processing")
    with pytest.raises(PaymentPending):
        refund(payment)
    assert records.attempt.state == "void"


def test_a_payment_intent_that_cannot_be_closed_is_told() -> None:
    payment, _, stripe = desk(payment_intent="pi_1")
    stripe.canceled = Intent("pi_1", "requires_capture")
    with pytest.raises(UnexpectedResponse, match="cancel: pi_1 is requires_capture"):
        refund(payment)


@pytest.mark.parametrize("status", ["succeeded", "pending", "requires_action"])
def test_a_refund_that_stripe_lists_is_not_made_again(status: str) -> None:
    # Given a refund that was made, and whose answer was lost
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.listed = [Refund("re_1", status, 1999)]
    # When
    answer = refund(payment)
    # Then
    assert stripe.refund_keys() == []
    assert (answer["state"], records.calls[-1]) == ("refunded", "refunded arn:e")


def test_a_key_that_only_repeats_a_failure_of_stripes_is_given_up() -> None:
    # Given two requests that Stripe answered with 500, which it repeats for a day
    payment, _, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.spent = {"o1:1:refund", "o1:1:refund:2"}
    # When
    answer = refund(payment)
    # Then the first key that is new to Stripe makes the refund, and it makes one
    assert stripe.refund_keys() == ["o1:1:refund", "o1:1:refund:2", "o1:1:refund:3"]
    assert (answer["state"], len(stripe.made)) == ("refunded", 1)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_is_made_again_under_another_key(status: str) -> None:
    # Given a refund that the bank sent back days later; its key still repeats the first answer
    payment, _, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.listed = [Refund("re_1", status, 1999)]
    # When
    refund(payment)
    # Then
    assert stripe.refund_keys() == ["o1:1:refund:2"]


def test_a_key_that_repeats_a_refund_that_failed_is_given_up() -> None:
    # Given that the key after a spent one made the refund that failed
    payment, _, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.made = {"o1:1:refund:2": Refund("re_1", "failed", 1999)}
    stripe.listed = [Refund("re_1", "failed", 1999)]
    # When
    refund(payment)
    # Then
    assert stripe.refund_keys() == ["o1:1:refund:2", "o1:1:refund:3"]


def test_only_what_somebody_else_has_not_given_back_is_refunded() -> None:
    payment, _, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.listed = [Refund("re_1", "succeeded", 500), Refund("re_2", "failed", 1499)]
    refund(payment)
    assert stripe.calls[-1] == "refund o1:1:refund:3 pi_1 1499"


def test_a_refund_that_fails_at_once_is_told_and_not_recorded() -> None:
    payment, records, stripe = desk(state="captured", payment_intent="pi_1")
    stripe.refund_status = "failed"
    with pytest.raises(UnexpectedResponse, match="refund: re_1 is failed"):
        refund(payment)
    assert records.attempt.state == "captured"


def test_keys_that_are_all_spent_are_tried_as_long_as_time_allows() -> None:
    # Given a second for each look at the clock
    seconds = iter(range(100))
    payment, _, stripe = desk(state="captured", payment_intent="pi_1", clock=lambda: float(next(seconds)))
    stripe.spent = {f"o1:1:refund:{number}" for number in range(100)} | {"o1:1:refund"}
    # When
    with pytest.raises(OutcomeUnknown, match="out of time"):
        refund(payment)
    # Then
    assert 1 <= len(stripe.refund_keys()) <= 4


_CALLS = {"data API": 4.0, "Stripe": 3.0}
"""Seconds that a call of each may take."""


@pytest.mark.parametrize("begin", range(8))
@pytest.mark.parametrize("undo", [False, True])
def test_no_call_is_begun_that_might_outlive_the_function(begin: int, undo: bool) -> None:
    # Given a clock at which the first call already took so many of the function's 8 s
    seconds = iter([0.0])
    payment, records, stripe = desk(
        payment_intent="pi_1" if undo else None, clock=lambda: next(seconds, float(begin))
    )
    stripe.canceled = Intent("pi_1", "succeeded")
    # When
    try:
        answer = refund(payment) if undo else payment.charge(CHARGE)
    except OutcomeUnknown:
        answer = {}
    # Then a call of Stripe is begun if 3 of 7.5 s are left, one of the data API if 4 are
    assert bool(stripe.calls) == (begin + _CALLS["Stripe"] <= 7.5)
    last = "refunded arn:e" if undo else "capture arn:e"
    assert (last in records.calls) == bool(answer) == (begin + _CALLS["data API"] <= 7.5)


def test_the_key_of_an_attempt_names_order_and_attempt() -> None:
    assert ATTEMPT._replace(attempt=3).key == "o1:3"
    payment, _, stripe = desk(attempt=3)
    payment.charge(CHARGE._replace(attempt=3))
    assert stripe.calls[0] == "create o1:3:pi"
    assert stripe.params[0]["metadata"]["attempt"] == "3"


def test_keys_are_what_stripe_takes() -> None:
    """At most 255 characters: https://docs.stripe.com/api/idempotent_requests."""
    long = ATTEMPT._replace(order_id="x" * 64, attempt=99)
    assert re.fullmatch(r"[\w:-]{1,255}", f"{long.key}:refund:9999")
