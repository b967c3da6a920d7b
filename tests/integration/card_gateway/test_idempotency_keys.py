"""https://docs.stripe.com/api/idempotent_requests, as our money path leans on it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

from embedded_aws.card_gateway.journal import KEYS_KEPT_SECONDS, Journal, Request
from payment_data.payment_methods.stripe_http import PooledHttp
from tests.integration.card_gateway.accounts import (
    Account,
    body,
    connected,
    create,
    headers,
    metadata,
    unique,
)


def test_the_same_request_under_the_same_key_is_done_once(account: Account) -> None:
    # Given
    key = unique()
    first = create(account, idempotency_key=key)
    # When
    again = create(account, idempotency_key=key)
    # Then
    assert again.id == first.id
    assert headers(first).get("Idempotent-Replayed") is None
    assert headers(again)["Idempotent-Replayed"] == "true"


def test_a_decline_is_kept_under_its_key_too(account: Account) -> None:
    # Given
    made, key = create(account, "pm_card_chargeDeclined"), unique()
    with pytest.raises(stripe.CardError) as first:
        account.client.v1.payment_intents.confirm(made.id, options={"idempotency_key": key})
    # When
    with pytest.raises(stripe.CardError) as again:
        account.client.v1.payment_intents.confirm(made.id, options={"idempotency_key": key})
    # Then
    assert (again.value.headers or {})["Idempotent-Replayed"] == "true"
    assert again.value.json_body == first.value.json_body


def test_another_request_under_the_same_key_is_refused(account: Account) -> None:
    # Given
    key = unique()
    create(account, idempotency_key=key)
    # When
    with pytest.raises(stripe.IdempotencyError) as refusal:
        create(account, idempotency_key=key, amount=2000)
    # Then
    assert refusal.value.http_status == 400


def test_another_endpoint_under_the_same_key_is_refused(account: Account) -> None:
    # Given
    key = unique()
    made = create(account, idempotency_key=key)
    # When
    with pytest.raises(stripe.IdempotencyError) as refusal:
        account.client.v1.payment_intents.confirm(made.id, options={"idempotency_key": key})
    # Then
    assert refusal.value.http_status == 400


def test_a_request_that_fails_validation_keeps_nothing_under_its_key(account: Account) -> None:
    # Given
    key = unique()
    with pytest.raises(stripe.InvalidRequestError):
        create(account, idempotency_key=key, no_such_parameter="1")
    # When
    made = create(account, idempotency_key=key)
    # Then
    assert made.status == "requires_confirmation"


def test_eight_at_once_under_one_key_make_one_payment_intent(account: Account) -> None:
    # Given
    key, run = unique(), unique("run")

    def make(_: int) -> str:
        http = PooledHttp()
        try:
            mine = connected(account.url, account.key, http, is_stripe=account.is_stripe)
            return create(mine, idempotency_key=key, metadata={"run": run}).id
        except stripe.APIError as refusal:
            return str(refusal.http_status)
        finally:
            http.close()

    # When
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(8)))
    # Then
    assert len(made - {"409"}) == 1
    recent = account.client.v1.payment_intents.list({"limit": 20}).data
    assert sum(metadata(intent).get("run") == run for intent in recent) == 1


def test_a_key_that_is_being_used_is_refused(own_account: Account) -> None:
    # Given a gateway that takes its time
    key = unique()

    def make(_: int) -> str:
        http = PooledHttp()
        try:
            return create(
                connected(own_account.url, own_account.key, http, is_stripe=False), idempotency_key=key
            ).id
        except stripe.APIError as refusal:
            return f"{refusal.http_status} {body(refusal)['code']}"
        finally:
            http.close()

    # When
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(make, range(4)))
    # Then
    assert answers.count("409 idempotency_key_in_use") == 3
    # And it is free again, with the answer of the one that was first
    assert create(own_account, idempotency_key=key).id in answers


@pytest.mark.parametrize(("later", "kept"), [(KEYS_KEPT_SECONDS - 1, True), (KEYS_KEPT_SECONDS + 1, False)])
def test_a_key_is_kept_for_a_day(tmp_path: Path, later: float, kept: bool) -> None:
    # Given
    journal = Journal(tmp_path / "journal.sqlite")
    made = Request(1_000_000.0, "seed", "POST", "/v1/payment_intents", {"amount": "1"}, 200, "pi_1")
    journal.record(made, key="a key", body={"id": "pi_1"})
    # When
    saved = journal.answer("a key", now=made.at + later)
    # Then
    assert (saved is not None) is kept
    journal.close()
