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
    canceled = account.client.v1.payment_intents.cancel(made.id)
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
