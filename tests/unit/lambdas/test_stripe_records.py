"""The records of a payment through Stripe: what each change asks of the data API, and what it answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from payment_data.client import DataApi, Response
from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.stripe_records import PaymentAttempt, PaymentRecords

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPT = PaymentAttempt("o1", 2, "intent", 500, "EUR", payment_intent="pi_1")
ANSWER = ATTEMPT._asdict() | {"method": "card", "adjustments": []}
CHANGES: dict[str, tuple[Callable[[PaymentRecords], PaymentAttempt], str, dict[str, Any] | None]] = {
    "open": (
        lambda records: records.open(Charge("o1", "arn:e", "2026-11-23T08:00:00Z", 2), "card"),
        "PUT /orders/o1/payments/2",
        {"execution": "arn:e", "deadline": "2026-11-23T08:00:00Z", "method": "card"},
    ),
    "save": (
        lambda records: records.save(ATTEMPT, "pi_9", execution="arn:e"),
        "PUT /orders/o1/payments/2/intent",
        {"execution": "arn:e", "payment_intent": "pi_9"},
    ),
    "processing": (
        lambda records: records.processing(ATTEMPT, execution="arn:e"),
        "PUT /orders/o1/payments/2/processing",
        {"execution": "arn:e"},
    ),
    "capture": (
        lambda records: records.capture(ATTEMPT, execution="arn:e"),
        "PUT /orders/o1/payments/2/capture",
        {"execution": "arn:e"},
    ),
    "decline": (
        lambda records: records.decline(ATTEMPT, "expired_card", execution="arn:e"),
        "PUT /orders/o1/payments/2/decline",
        {"execution": "arn:e", "reason": "expired_card"},
    ),
    "closed": (
        lambda records: records.closed(ATTEMPT, execution="arn:e"),
        "PUT /orders/o1/payments/2/closure",
        {"execution": "arn:e"},
    ),
    "refunded": (
        lambda records: records.refunded(ATTEMPT, execution="arn:e"),
        "PUT /orders/o1/payments/2/refund",
        {"execution": "arn:e"},
    ),
    "void": (
        lambda records: records.void("o1", execution="arn:e", reason="OutOfStock"),
        "PUT /orders/o1/refund",
        {"execution": "arn:e", "reason": "OutOfStock"},
    ),
    "find": (lambda records: records.find("o1"), "GET /orders/o1/payment", None),
}


@pytest.mark.parametrize(("change", "request_line", "body"), CHANGES.values(), ids=CHANGES)
def test_each_change_is_one_request_and_answers_with_the_record(
    change: Callable[[PaymentRecords], PaymentAttempt], request_line: str, body: dict[str, Any] | None
) -> None:
    # Given a data API that notes what it is asked
    asked: list[tuple[str, Any]] = []

    def transport(method: str, path: str, content: bytes | None) -> Response:
        asked.append((f"{method} {path}", json.loads(content) if content else None))
        return Response(200, json.dumps(ANSWER).encode())

    # When the change is made, Then it was one request, and the record is what was answered
    assert change(PaymentRecords(DataApi(transport))) == ATTEMPT
    assert asked == [(request_line, body)]


def test_where_nothing_was_tried_the_attempt_is_the_first() -> None:
    # Given an order whose payment was never opened
    answer = {"order_id": "o1", "state": "none", "amount": 0, "currency": "EUR"}
    records = PaymentRecords(DataApi(lambda *_: Response(200, json.dumps(answer).encode())))
    # Then its attempt is the first, and its keys begin with it
    attempt = records.find("o1")
    assert attempt == PaymentAttempt("o1", 1, "none", 0, "EUR")
    assert attempt.key == "o1:1"
