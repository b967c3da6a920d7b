"""Refunds that fail, disputes, and amounts by currency: what Stripe does after, or instead of, a payment."""

import pytest
import stripe

from tests.integration.card_gateway.accounts import Account, create, paid
from tests.waiting import wait_until


def _disputes(account: Account, intent_id: str) -> list[stripe.Dispute]:
    return wait_until(
        lambda: account.client.v1.disputes.list({"payment_intent": intent_id}).data,
        "a dispute",
        seconds=account.patience,
    )


def test_a_refund_may_fail_after_it_was_made(account: Account) -> None:
    # Given
    confirmed = paid(account, method="pm_card_refundFail")
    refunds = account.client.v1.refunds
    made = refunds.create({"payment_intent": confirmed.id})
    # When
    wait_until(
        lambda: refunds.retrieve(made.id).status == "failed", "the refund to fail", seconds=account.patience
    )
    # Then the money is ours again, and can be given back once more
    expanded = account.client.v1.payment_intents.retrieve(confirmed.id, {"expand": ["latest_charge"]})
    assert expanded.latest_charge.amount_refunded == 0  # type: ignore[union-attr] # it is expanded
    assert refunds.create({"payment_intent": confirmed.id}).id != made.id


def test_a_dispute_is_listed_with_its_payment_intent(account: Account) -> None:
    # Given
    confirmed = paid(account, method="pm_card_createDispute")
    disputes = account.client.v1.disputes
    # When
    [dispute] = _disputes(account, confirmed.id)
    # Then
    assert (dispute.amount, dispute.status) == (confirmed.amount, "needs_response")
    assert dispute.payment_intent == confirmed.id
    assert disputes.retrieve(dispute.id).id == dispute.id


def test_a_disputed_charge_cannot_be_refunded(account: Account) -> None:
    # Given
    confirmed = paid(account, method="pm_card_createDispute")
    _disputes(account, confirmed.id)
    # When; Then
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client.v1.refunds.create({"payment_intent": confirmed.id})
    assert (refusal.value.http_status, refusal.value.code) == (400, "charge_disputed")


@pytest.mark.parametrize(("evidence", "end"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_ends_a_dispute(account: Account, evidence: str, end: str) -> None:
    # Given
    confirmed = paid(account, method="pm_card_createDispute")
    disputes = account.client.v1.disputes
    [dispute] = _disputes(account, confirmed.id)
    # When
    disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})
    # Then
    wait_until(
        lambda: disputes.retrieve(dispute.id).status == end, f"it to be {end}", seconds=account.patience
    )
    # And no more of it is taken
    with pytest.raises(stripe.InvalidRequestError):
        disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})


def test_a_charge_that_nobody_disputes_has_no_dispute(account: Account) -> None:
    confirmed = paid(account)
    assert account.client.v1.disputes.list({"payment_intent": confirmed.id}).data == []
    # And what is authorized and not captured has none, whatever its card
    authorized = paid(account, method="pm_card_createDispute", capture_method="manual")
    assert account.client.v1.disputes.list({"payment_intent": authorized.id}).data == []


def test_a_list_of_payment_intents_says_what_was_given_back(account: Account) -> None:
    # Given
    confirmed = paid(account)
    account.client.v1.refunds.create({"payment_intent": confirmed.id, "amount": 600})
    # When
    params = {"limit": 20, "created": {"gte": confirmed.created}, "expand": ["data.latest_charge"]}
    listed = account.client.v1.payment_intents.list(params).data  # type: ignore[arg-type] # a plain dict
    # Then
    [intent] = [intent for intent in listed if intent.id == confirmed.id]
    assert intent.latest_charge.amount_refunded == 600  # type: ignore[union-attr] # it is expanded


@pytest.mark.parametrize(("amount", "currency"), [(5050, "isk"), (150, "ugx"), (5125, "kwd"), (5125, "bhd")])
def test_an_amount_that_the_currency_does_not_have_is_refused(
    account: Account, amount: int, currency: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        create(account, amount=amount, currency=currency)
    assert refusal.value.http_status == 400


@pytest.mark.parametrize(
    ("amount", "currency"), [(5000, "isk"), (50_000, "mga"), (5120, "kwd"), (500, "jpy"), (5120, "bhd")]
)
def test_an_amount_in_stripes_units_is_charged(account: Account, amount: int, currency: str) -> None:
    made = create(account, amount=amount, currency=currency)
    assert (made.amount, made.currency) == (amount, currency)


def test_less_than_the_least_amount_of_a_currency_is_refused(account: Account) -> None:
    # https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    least = {
        **dict.fromkeys(("aud", "brl", "cad", "chf", "eur", "inr", "jpy", "nzd", "sgd", "usd"), 50),
        **dict.fromkeys(("aed", "myr", "pln", "ron"), 200),
        "gbp": 30,
        "dkk": 250,
        "nok": 300,
        "sek": 300,
        "hkd": 400,
        "mxn": 1000,
        "thb": 1000,
        "czk": 1500,
        "huf": 17500,
    }
    for currency, amount in least.items():
        assert create(account, amount=amount, currency=currency).amount == amount
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            create(account, amount=amount - 1, currency=currency)
        assert refusal.value.code == "amount_too_small"
