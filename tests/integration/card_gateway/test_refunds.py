"""What is given back is never more than what was taken."""

import pytest
import stripe

from tests.integration.card_gateway.accounts import Account, create, paid, unique


def test_all_of_a_payment_is_given_back(account: Account) -> None:
    # Given
    confirmed = paid(account)
    # When
    refund = account.client.v1.refunds.create(
        {"payment_intent": confirmed.id, "reason": "requested_by_customer"}
    )
    # Then
    assert (refund.amount, refund.status) == (confirmed.amount, "succeeded")
    assert refund.payment_intent == confirmed.id


def test_a_refund_under_the_same_key_is_made_once(account: Account) -> None:
    # Given
    confirmed, key = paid(account), unique()
    first = account.client.v1.refunds.create({"payment_intent": confirmed.id}, {"idempotency_key": key})
    # When
    again = account.client.v1.refunds.create({"payment_intent": confirmed.id}, {"idempotency_key": key})
    # Then
    assert again.id == first.id


def test_a_second_refund_is_refused(account: Account) -> None:
    # Given
    confirmed = paid(account)
    account.client.v1.refunds.create({"payment_intent": confirmed.id})
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.refunds.create({"payment_intent": confirmed.id})
    # Then
    assert refusal.value.code == "charge_already_refunded"


def test_more_than_is_left_is_refused(account: Account) -> None:
    # Given
    confirmed = paid(account, amount=1000)
    account.client.v1.refunds.create({"payment_intent": confirmed.id, "amount": 600})
    # When
    with pytest.raises(stripe.InvalidRequestError):
        account.client.v1.refunds.create({"payment_intent": confirmed.id, "amount": 401})
    # Then the rest can still be given back, and no more
    rest = account.client.v1.refunds.create({"payment_intent": confirmed.id, "amount": 400})
    assert rest.amount == 400
    listed = account.client.v1.refunds.list({"payment_intent": confirmed.id}).data
    assert sorted(refund.amount for refund in listed) == [400, 600]


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_was_not_taken_is_not_given_back(account: Account, confirmed: bool) -> None:
    # Given a payment that nobody confirmed, or that is authorized and not captured
    made = paid(account, capture_method="manual") if confirmed else create(account)
    # When
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.refunds.create({"payment_intent": made.id})
    # Then
    assert refusal.value.http_status == 400
