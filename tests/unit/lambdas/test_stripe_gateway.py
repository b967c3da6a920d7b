"""Stripe's client as our gateway, over real HTTP, with Stripe answering as told."""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe

from payment_data import errors
from payment_data.payment_methods.stripe_gateway import API_BASE_VARIABLE, StripeGateway
from payment_data.payment_methods.stripe_http import VARIABLE
from payment_data.payment_methods.stripe_intents import Disputed, Intent, KeySpent, Refund, Refused
from tests.unit.lambdas.conftest import FakeApi

INTENT = {"id": "pi_1", "object": "payment_intent", "status": "requires_confirmation"}
REFUND = {"id": "re_1", "object": "refund", "status": "succeeded", "amount": 1999}
REPLAYED = {"Idempotent-Replayed": "true"}


def error(kind: str = "invalid_request_error", **fields: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "message": "SECRET words", **fields}}


@pytest.fixture
def gateway(fake_api: FakeApi) -> Iterator[StripeGateway]:
    opened = StripeGateway(lambda fresh=False: "sk_new" if fresh else "sk_old", fake_api.url)
    yield opened
    opened.close()


def test_a_payment_intent_is_made_under_its_key(gateway: StripeGateway, fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = [(200, INTENT)]
    # When
    intent = gateway.create("o1:1:pi", {"amount": 1999, "currency": "eur"})
    # Then
    assert intent == Intent("pi_1", "requires_confirmation")
    (request,) = fake_api.received
    assert (request.method, request.path) == ("POST", "/live/v1/payment_intents")
    assert dict(parse_qsl(request.body)) == {"amount": "1999", "currency": "eur"}
    assert request.headers["Idempotency-Key"] == "o1:1:pi"
    assert request.headers["Authorization"] == "Bearer sk_old"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("amount_too_small", "amount_too_small"),
        ("amount_too_large", "amount_too_large"),
        ("resource_missing", "payment_method_unknown"),
        ("payment_method_unactivated", "payment_method_unactivated"),
        ("payment_method_currency_mismatch", "currency_not_supported"),
        ("payment_intent_incompatible_payment_method", "payment_method_unsuitable"),
    ],
)
def test_a_refusal_that_the_shopper_can_be_told_is_no_error(
    gateway: StripeGateway, fake_api: FakeApi, code: str, reason: str
) -> None:
    fake_api.answers = [(400, error(code=code))]
    with pytest.raises(Refused, match=f"^{reason}$"):
        gateway.create("k", {})


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (
            lambda gateway: gateway.confirm("pi_1", {"off_session": True}),
            "POST /v1/payment_intents/pi_1/confirm",
        ),
        (lambda gateway: gateway.cancel("pi_1"), "POST /v1/payment_intents/pi_1/cancel"),
        (lambda gateway: gateway.retrieve("pi_1"), "GET /v1/payment_intents/pi_1"),
    ],
)
def test_what_stripe_answers_about_a_payment_intent_is_its_state(
    gateway: StripeGateway, fake_api: FakeApi, call: Any, path: str
) -> None:
    # Given it as an answer, and as part of a refusal
    last = {"code": "card_declined", "decline_code": "lost_card"}
    refusal = error("card_error", code="card_declined", payment_intent=INTENT | {"last_payment_error": last})
    fake_api.answers = [(200, INTENT | {"status": "succeeded"}), (402, refusal)]
    # When
    asked, refused = call(gateway), call(gateway)
    # Then
    assert (asked, refused) == (
        Intent("pi_1", "succeeded"),
        Intent("pi_1", "requires_confirmation", "lost_card"),
    )
    assert {f"{r.method} {r.path.removeprefix('/live')}" for r in fake_api.received} == {path}


def test_a_decline_without_a_decline_code_has_its_code_as_reason(
    gateway: StripeGateway, fake_api: FakeApi
) -> None:
    fake_api.answers = [(200, INTENT | {"last_payment_error": {"code": "expired_card"}})]
    assert gateway.retrieve("pi_1").reason == "expired_card"


def test_a_confirmation_sends_its_parameters(gateway: StripeGateway, fake_api: FakeApi) -> None:
    fake_api.answers = [(200, INTENT)]
    gateway.confirm("pi_1", {"error_on_requires_action": True})
    assert dict(parse_qsl(fake_api.received[0].body)) == {"error_on_requires_action": "true"}


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (401, error(), errors.AccessDenied),
        (403, error(), errors.AccessDenied),
        (409, error(code="idempotency_key_in_use"), errors.OutcomeUnknown),
        (429, error(code="lock_timeout"), errors.Throttled),
        (400, error(code="parameter_unknown"), errors.UnexpectedResponse),
        (400, error("idempotency_error"), errors.IdempotencyMismatch),
        (404, error(code="resource_missing"), errors.UnexpectedResponse),
        (500, error("api_error"), errors.OutcomeUnknown),
        (502, b"<html>", errors.OutcomeUnknown),
        (503, [], errors.OutcomeUnknown),
        (200, b"<html>", errors.UnexpectedResponse),
    ],
)
def test_an_error_of_stripes_is_ours_and_quotes_nothing(
    gateway: StripeGateway, fake_api: FakeApi, status: int, body: Any, problem: type[errors.Problem]
) -> None:
    # Given
    fake_api.answers = [(status, body, {"Request-Id": "req_1"})]
    calls: list[Callable[[], object]] = [
        lambda: gateway.retrieve("pi_1"),
        lambda: gateway.refunds("pi_1"),
        lambda: gateway.create("k", {"amount": 1}),
    ]
    # When
    for call in calls if body != error(code="resource_missing") else calls[:2]:
        with pytest.raises(errors.Problem) as raised:
            call()
        # Then
        assert type(raised.value) is problem
        assert str(status) in raised.value.detail
        assert "SECRET" not in f"{raised.value!r}{raised.value.__cause__!r}"


def test_an_error_names_what_was_asked_the_code_and_the_request(
    gateway: StripeGateway, fake_api: FakeApi
) -> None:
    fake_api.answers = [(400, error(code="parameter_unknown"), {"Request-Id": "req_1"})]
    with pytest.raises(errors.UnexpectedResponse) as raised:
        gateway.create("k", {})
    detail = "create a PaymentIntent: Stripe answered 400 parameter_unknown (req_1)"
    assert raised.value.detail == detail


def test_a_refused_api_key_is_read_again_once(gateway: StripeGateway, fake_api: FakeApi) -> None:
    # Given a key that was rotated
    fake_api.answers = [(401, error()), (200, INTENT)]
    # When
    gateway.retrieve("pi_1")
    # Then
    keys = [request.headers["Authorization"] for request in fake_api.received]
    assert keys == ["Bearer sk_old", "Bearer sk_new"]


def test_the_refunds_of_a_payment_intent_are_listed(gateway: StripeGateway, fake_api: FakeApi) -> None:
    # Given
    failed = REFUND | {"id": "re_2", "status": "failed", "amount": 1}
    fake_api.answers = [(200, {"object": "list", "has_more": False, "data": [REFUND, failed]})]
    # When
    refunds = gateway.refunds("pi_1")
    # Then
    assert refunds == [Refund("re_1", "succeeded", 1999), Refund("re_2", "failed", 1)]
    assert [refund.returns_money for refund in refunds] == [True, False]
    assert fake_api.received[0].path == "/live/v1/refunds?payment_intent=pi_1&limit=100"


def test_a_refund_is_made_under_its_key(gateway: StripeGateway, fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = [(200, REFUND)]
    # When
    refund = gateway.refund("o1:1:refund", "pi_1", 1999)
    # Then
    assert refund == Refund("re_1", "succeeded", 1999)
    (request,) = fake_api.received
    assert request.headers["Idempotency-Key"] == "o1:1:refund"
    fields = {"payment_intent": "pi_1", "amount": "1999", "reason": "requested_by_customer"}
    assert dict(parse_qsl(request.body)) == fields


def test_a_disputed_charge_is_said_to_be_and_what_disputes_took(
    gateway: StripeGateway, fake_api: FakeApi
) -> None:
    # Given
    fake_api.answers = [(400, error(code="charge_disputed"))]
    with pytest.raises(Disputed):
        gateway.refund("k", "pi_1", 1999)
    disputes = [
        ("needs_response", 1),
        ("under_review", 20),
        ("lost", 300),
        ("won", 4_000),
        ("warning_closed", 5),
    ]
    listed = [
        {"id": f"du_{n}", "object": "dispute", "status": status, "amount": amount}
        for n, (status, amount) in enumerate(disputes)
    ]
    fake_api.answers = [(200, {"object": "list", "data": listed, "has_more": False, "url": "/v1/disputes"})]
    # When; Then inquiries took nothing, and what was won is back
    assert gateway.disputed("pi_1") == 321


def test_what_was_given_back_before_is_not_given_back_again(
    gateway: StripeGateway, fake_api: FakeApi
) -> None:
    fake_api.answers = [(400, error(code="charge_already_refunded"))]
    assert gateway.refund("k", "pi_1", 1999) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((500, error("api_error"), REPLAYED), KeySpent),
        ((503, error("api_error"), REPLAYED), KeySpent),
        ((500, error("api_error")), errors.OutcomeUnknown),
        ((500, error("api_error"), {"Idempotent-Replayed": "false"}), errors.OutcomeUnknown),
        ((400, error("idempotency_error")), KeySpent),
        ((400, error(code="parameter_unknown"), REPLAYED), errors.UnexpectedResponse),
        ((409, error(code="idempotency_key_in_use")), errors.OutcomeUnknown),
        ((429, error(code="lock_timeout")), errors.Throttled),
    ],
)
def test_a_refunds_key_is_spent_when_it_only_repeats_a_failure(
    gateway: StripeGateway, fake_api: FakeApi, answer: Any, expected: type[Exception]
) -> None:
    fake_api.answers = [answer]
    with pytest.raises(expected):
        gateway.refund("k", "pi_1", 1999)


@pytest.mark.parametrize("answer", ["drop", "hang"])
def test_an_answer_that_does_not_come_leaves_the_outcome_unknown_and_is_not_asked_for_again(
    fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    # Given
    monkeypatch.setattr("payment_data.payment_methods.stripe_http.STRIPE_SECONDS", 0.2)
    gateway = StripeGateway(lambda **_: "sk_1", fake_api.url)
    fake_api.answers = [answer]
    # When
    with pytest.raises(errors.OutcomeUnknown, match="Stripe: no answer"):
        gateway.refund("k", "pi_1", 1999)
    # Then
    assert len(fake_api.received) == 1


def test_a_gateway_that_is_not_there_was_asked_nothing() -> None:
    gateway = StripeGateway(lambda **_: "sk_1", "http://127.0.0.1:9")
    with pytest.raises(errors.ApiUnavailable, match="Stripe: no connection"):
        gateway.retrieve("pi_1")


def test_the_environment_names_the_gateway_and_the_secret(
    fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    read: list[bool] = []

    def secret(self: object, *, fresh: bool = False) -> str:
        read.append(fresh)
        return "sk_1"

    monkeypatch.setattr("payment_data.payment_methods.stripe_gateway.StripeSecret.__call__", secret)
    fake_api.answers = [(200, INTENT)]
    environ = {VARIABLE: "arn:aws:secretsmanager:eu-west-1:1:secret:s", API_BASE_VARIABLE: fake_api.url}
    # When
    StripeGateway.from_environment(environ).retrieve("pi_1")
    # Then
    assert read == [False]
    assert fake_api.received[0].headers["Authorization"] == "Bearer sk_1"


def test_without_another_gateway_stripe_itself_is_asked() -> None:
    gateway = StripeGateway.from_environment({VARIABLE: "arn:aws:secretsmanager:eu-west-1:1:secret:s"})
    assert gateway._api_base == stripe.DEFAULT_API_BASE == "https://api.stripe.com"


def test_stripes_client_logs_nothing_of_a_request(
    gateway: StripeGateway, fake_api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_api.answers = [(200, INTENT)]
    gateway.create("k", {"amount": 1999, "payment_method": "pm_canary"})
    assert [record for record in caplog.records if record.name == "stripe"] == []
