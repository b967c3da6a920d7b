"""The payment methods' requests to the data API, and which of them a function uses."""

from typing import Any

import pytest

from payment_data.client import DataApi, SignedHttp
from payment_data.payment_methods.credit import Credit
from payment_data.payment_methods.names import NAMES, STRIPE
from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.registry import UnknownPaymentMethod, select
from payment_data.payment_methods.stripe_payment import StripePayment
from payment_data.payment_methods.stripe_records import PaymentAttempt, PaymentRecords
from tests.unit.lambdas.conftest import FakeApi

ATTEMPT = {
    "order_id": "o1",
    "attempt": 2,
    "state": "intent",
    "amount": 1999,
    "currency": "EUR",
    "payment_intent": "pi_1",
    "reason": "lost_card",
    "customer": "cus_1",
    "payment_method": "pm_1",
}
KEPT = PaymentAttempt(**ATTEMPT)  # type: ignore[arg-type] # one value of each type
CHARGE = Charge("o1", "arn:e", "2026-01-31T12:00:00Z", 2)


@pytest.fixture
def records(fake_api: FakeApi) -> PaymentRecords:
    fake_api.answers = [(200, ATTEMPT | {"method": "card"})]
    return PaymentRecords(DataApi(SignedHttp(fake_api.url)))


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (
            lambda records: records.open(CHARGE, "card"),
            "PUT /orders/o1/payments/2",
            {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z", "method": "card"},
        ),
        (
            lambda records: records.save(KEPT, "pi_2", execution="arn:e"),
            "PUT /orders/o1/payments/2/intent",
            {"execution": "arn:e", "payment_intent": "pi_2"},
        ),
        (
            lambda records: records.processing(KEPT, execution="arn:e"),
            "PUT /orders/o1/payments/2/processing",
            {"execution": "arn:e"},
        ),
        (
            lambda records: records.capture(KEPT, execution="arn:e"),
            "PUT /orders/o1/payments/2/capture",
            {"execution": "arn:e"},
        ),
        (
            lambda records: records.decline(KEPT, "lost_card", execution="arn:e"),
            "PUT /orders/o1/payments/2/decline",
            {"execution": "arn:e", "reason": "lost_card"},
        ),
        (
            lambda records: records.void("o1", execution="arn:e", reason="OutOfStock"),
            "PUT /orders/o1/refund",
            {"execution": "arn:e", "reason": "OutOfStock"},
        ),
        (
            lambda records: records.refunded(KEPT, execution="arn:e"),
            "PUT /orders/o1/payments/2/refund",
            {"execution": "arn:e"},
        ),
        (lambda records: records.find("o1"), "GET /orders/o1/payment", None),
    ],
)
def test_a_record_is_asked_for_and_changed_by_its_request(
    records: PaymentRecords, fake_api: FakeApi, call: Any, path: str, body: Any
) -> None:
    # When
    answer = call(records)
    # Then
    assert answer == KEPT
    (request,) = fake_api.received
    assert f"{request.method} {request.path.removeprefix('/live')}" == path
    assert request.body == body


def test_where_nothing_was_tried_the_attempt_is_the_first(records: PaymentRecords, fake_api: FakeApi) -> None:
    fake_api.answers = [(200, {"order_id": "o1", "state": "none", "amount": 0, "currency": "EUR"})]
    assert records.find("o1") == PaymentAttempt("o1", 1, "none", 0, "EUR")


def test_credit_is_charged_refunded_and_read_by_one_request_each(fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = [(200, {"order_id": "o1", "state": "charged"})]
    credit = Credit(DataApi(SignedHttp(fake_api.url)))
    # When
    answers = [
        credit.charge(CHARGE),
        credit.refund("o1", execution="arn:e", reason="OutOfStock"),
        credit.outcome("o1"),
    ]
    # Then
    assert answers == [{"order_id": "o1", "state": "charged"}] * 3
    assert [(r.method, r.path.removeprefix("/live"), r.body) for r in fake_api.received] == [
        (
            "PUT",
            "/orders/o1/payment",
            {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z", "method": "credit", "attempt": 2},
        ),
        ("PUT", "/orders/o1/refund", {"execution": "arn:e", "reason": "OutOfStock"}),
        ("GET", "/orders/o1/payment", None),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_chosen_by_its_name(fake_api: FakeApi, name: str) -> None:
    # Given
    environ = {"PAYMENT_METHOD": name, "STRIPE_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:s"}
    # When
    method = select(environ, DataApi(SignedHttp(fake_api.url)))
    # Then
    assert method.name == name
    assert isinstance(method, StripePayment) == (name in STRIPE)


@pytest.mark.parametrize("environ", [{}, {"PAYMENT_METHOD": "cowries"}])
def test_a_name_that_is_none_is_refused_with_those_there_are(
    fake_api: FakeApi, environ: dict[str, str]
) -> None:
    with pytest.raises(UnknownPaymentMethod, match=f"choose one of {', '.join(NAMES)}"):
        select(environ, DataApi(SignedHttp(fake_api.url)))
