"""A SEPA debit is answered later: until then nothing can be undone."""

import pytest
import stripe

from tests.integration.card_gateway.accounts import Account, create, debit, settled


def test_a_debit_is_processing_and_then_succeeds(account: Account) -> None:
    # When
    confirmed = debit(account, "pm_success_de")
    # Then
    assert confirmed.status == "processing"
    assert settled(account, confirmed.id).status == "succeeded"


@pytest.mark.parametrize("method", ["pm_failed_de", "pm_insufficientFunds_de"])
def test_a_debit_that_the_bank_refuses_says_why(account: Account, method: str) -> None:
    # When
    confirmed = debit(account, method)
    # Then
    seen = settled(account, confirmed.id)
    assert (confirmed.status, seen.status) == ("processing", "requires_payment_method")
    assert seen.last_payment_error is not None
    assert seen.last_payment_error.decline_code or seen.last_payment_error.code


def test_a_debit_under_way_can_be_neither_canceled_nor_refunded(account: Account) -> None:
    # Given
    confirmed = debit(account, "pm_successDelayed_de")
    # When
    with pytest.raises(stripe.InvalidRequestError) as canceled:
        account.client.v1.payment_intents.cancel(confirmed.id)
    with pytest.raises(stripe.InvalidRequestError):
        account.client.v1.refunds.create({"payment_intent": confirmed.id})
    # Then
    assert canceled.value.code == "payment_intent_unexpected_state"
    assert account.client.v1.payment_intents.retrieve(confirmed.id).status == "processing"


def test_a_settled_debit_is_given_back(account: Account) -> None:
    # Given
    charged = settled(account, debit(account, "pm_success_de").id)
    # When
    refund = account.client.v1.refunds.create({"payment_intent": charged.id})
    # Then
    assert refund.amount == charged.amount
    assert refund.status in ("succeeded", "pending")


def test_a_debit_takes_euros_alone(account: Account) -> None:
    # When / Then
    with pytest.raises(stripe.InvalidRequestError):
        create(account, "pm_success_de", payment_method_types=["sepa_debit"], currency="usd")
