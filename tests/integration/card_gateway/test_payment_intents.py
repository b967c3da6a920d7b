"""A PaymentIntent takes money at most once, and a closed one never does."""

from typing import Any

import pytest
import stripe

from tests.integration.card_gateway.accounts import Account, create, metadata, paid, unique

DECLINES = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
]


def _refusal(error: stripe.StripeError) -> tuple[str, str]:
    """Return the code, and the state of the PaymentIntent that the refusal carries."""
    assert error.error is not None
    assert error.error.payment_intent is not None
    return str(error.error.code), error.error.payment_intent.status


def test_a_confirmed_card_payment_succeeds(account: Account) -> None:
    # Given
    made = create(account)
    # When
    confirmed = account.client.v1.payment_intents.confirm(made.id)
    # Then
    assert (made.status, confirmed.status) == ("requires_confirmation", "succeeded")
    assert confirmed.amount_received == made.amount
    assert isinstance(confirmed.latest_charge, str)


@pytest.mark.parametrize(("method", "code", "reason"), DECLINES)
def test_a_declined_card_says_why_at_confirm(account: Account, method: str, code: str, reason: str) -> None:
    # Given
    made = create(account, method)
    # When
    with pytest.raises(stripe.CardError) as decline:
        account.client.v1.payment_intents.confirm(made.id)
    # Then
    assert decline.value.error is not None
    assert decline.value.code == code
    assert (decline.value.error.decline_code or decline.value.code) == reason
    assert _refusal(decline.value)[1] == "requires_payment_method"
    # And it is remembered
    seen = account.client.v1.payment_intents.retrieve(made.id)
    assert seen.last_payment_error is not None
    assert (seen.last_payment_error.decline_code or seen.last_payment_error.code) == reason


def test_a_declined_payment_intent_is_not_charged_again_by_confirming_it_again(account: Account) -> None:
    # Given
    made = create(account, "pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError):
        account.client.v1.payment_intents.confirm(made.id)
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.payment_intents.confirm(made.id)
    # Then
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "requires_payment_method")


def test_a_declined_payment_intent_can_be_paid_by_another_card(account: Account) -> None:
    # Given
    made = create(account, "pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError):
        account.client.v1.payment_intents.confirm(made.id)
    # When
    confirmed = account.client.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    # Then
    assert confirmed.status == "succeeded"


def test_a_challenge_that_nobody_can_pass_is_a_decline(account: Account) -> None:
    # Given
    made = create(account, "pm_card_authenticationRequired")
    # When
    with pytest.raises(stripe.CardError) as decline:
        account.client.v1.payment_intents.confirm(made.id, {"error_on_requires_action": True})
    # Then
    assert decline.value.code == "authentication_required"


def test_a_second_confirm_is_refused_and_shows_that_it_succeeded(account: Account) -> None:
    # Given
    confirmed = paid(account)
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.payment_intents.confirm(confirmed.id)
    # Then
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "succeeded")


@pytest.mark.parametrize("late", ["confirm", "capture", "cancel"])
def test_a_canceled_payment_intent_stays_canceled(account: Account, late: str) -> None:
    # Given
    made = create(account)
    assert (made.canceled_at, made.cancellation_reason) == (None, None)
    canceled = account.client.v1.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert canceled.canceled_at
    assert canceled.cancellation_reason == "abandoned"
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        getattr(account.client.v1.payment_intents, late)(made.id)
    # Then
    assert canceled.status == "canceled"
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "canceled")


def test_a_paid_payment_intent_cannot_be_canceled(account: Account) -> None:
    # Given
    confirmed = paid(account)
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.payment_intents.cancel(confirmed.id)
    # Then
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "succeeded")


def test_an_authorized_card_is_captured_once(account: Account) -> None:
    # Given
    authorized = paid(account, capture_method="manual")
    # When
    captured = account.client.v1.payment_intents.capture(authorized.id)
    # Then
    assert (authorized.status, captured.status) == ("requires_capture", "succeeded")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.payment_intents.capture(authorized.id)
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "succeeded")


def test_an_authorization_that_was_canceled_cannot_be_captured(account: Account) -> None:
    # Given
    authorized = paid(account, capture_method="manual")
    account.client.v1.payment_intents.cancel(authorized.id)
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.payment_intents.capture(authorized.id)
    # Then
    assert _refusal(refusal.value) == ("payment_intent_unexpected_state", "canceled")


@pytest.mark.parametrize(
    "more",
    [
        {"description": "Order 1"},
        {"metadata": {"order_id": "1", "attempt": "1"}},
        {
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "payment_method_types": None,
        },
        {"confirm": True, "return_url": "https://shop.example/return"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_a_payment_is_described_with_is_taken(account: Account, more: dict[str, Any]) -> None:
    # When
    made = create(account, **{"payment_method_types": ["card"], **more})
    # Then
    assert made.amount == 1999
    assert made.description == more.get("description")
    assert metadata(made) == more.get("metadata", {})


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"no_such_parameter": "1"}, "parameter_unknown"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": "19.99"}, "parameter_invalid_integer"),
        ({"amount": ""}, "parameter_missing"),
        ({"payment_method": "pm_unknown"}, "resource_missing"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else given,
)
def test_a_wrong_parameter_is_refused(account: Account, wrong: dict[str, Any], code: str) -> None:
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        create(account, **{"method": wrong.pop("payment_method", "pm_card_visa"), **wrong})
    # Then
    assert refusal.value.code == code


def test_payment_intents_are_listed_newest_first_page_by_page(account: Account) -> None:
    # Given
    run = unique("run")
    made = [create(account, metadata={"run": run}).id for _ in range(3)]
    # When
    first = account.client.v1.payment_intents.list({"limit": 2}).data
    rest = account.client.v1.payment_intents.list({"limit": 1, "starting_after": first[-1].id}).data
    # Then
    assert [intent.id for intent in (*first, *rest)] == made[::-1]


def test_a_page_has_ten_unless_it_is_asked_for_more_and_a_hundred_at_most(account: Account) -> None:
    # https://docs.stripe.com/api/pagination
    # Given eleven of a customer
    customer = account.client.v1.customers.create({"name": "Ada"}).id
    made = [create(account, customer=customer).id for _ in range(11)]
    listed = account.client.v1.payment_intents.list
    # When they are listed, and the page after the first
    first = listed({"customer": customer})
    rest = listed({"customer": customer, "starting_after": first.data[-1].id})
    # Then
    assert [intent.id for intent in first.data] == made[:0:-1]
    assert ([intent.id for intent in rest.data], first.has_more, rest.has_more) == (made[:1], True, False)
    # And all of them are on a page of exactly as many, and on the longest one
    assert not listed({"customer": customer, "limit": 11}).has_more
    assert len(listed({"customer": customer, "limit": 100}).data) == 11
    for limit in (0, 101):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            listed({"limit": limit})
        assert refusal.value.param == "limit"


def test_what_is_not_there_is_told_as_missing(account: Account) -> None:
    # https://docs.stripe.com/api/errors
    v1 = account.client.v1
    for retrieve in (v1.payment_intents, v1.refunds, v1.disputes, v1.customers):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            retrieve.retrieve("nobody")
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_a_payment_method_of_a_customer_is_charged_again(account: Account) -> None:
    # https://docs.stripe.com/api/payment_methods/attach
    # Given a customer's own card
    v1 = account.client.v1
    customer = v1.customers.create({"name": "Ada"}).id
    method = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    # When it is charged twice
    for _ in range(2):
        paid_by = v1.payment_intents.confirm(create(account, method.id, customer=customer).id)
        assert (paid_by.status, paid_by.customer) == ("succeeded", customer)
    # Then both are known as they were made
    assert v1.customers.retrieve(customer).name == "Ada"
    assert v1.payment_methods.retrieve(method.id).customer == customer
    with pytest.raises(stripe.InvalidRequestError, match="customer"):
        v1.payment_methods.attach("pm_card_visa", {"customer": "cus_nobody"})
