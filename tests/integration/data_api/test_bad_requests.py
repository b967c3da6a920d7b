"""Requests that are refused: each with a problem that names field and rule, and nothing written."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from data_api.handler import handler
from tests.integration.data_api.conftest import Call
from tests.integration.data_api.shop import Shop, later, line

PRODUCT = {"name": "Apple", "type": "fruit", "price": 250, "currency": "EUR", "available": 3}
USER = {"username": "Ann", "balance": 0, "currency": "EUR"}
ORDER = {"user_id": "ann", "currency": "EUR", "lines": [line()]}
FORWARD = {"execution": "e", "deadline": later(seconds=3600)}
RESERVATION = FORWARD | {"method": "credit"}
PAYMENT = FORWARD | {"method": "credit", "attempt": 1}
NUMBERS: list[Any] = [-1, 0, 1.0, 2.5, True, "1", None, 10**20, [1], {"$gt": 0}]


def _order(**changes: Any) -> dict[str, Any]:
    return ORDER | {"lines": [line(**changes)]}


def _without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


FIELDS: list[tuple[str, Any, str]] = [
    *(("/products/p", PRODUCT | {"price": value}, "price") for value in NUMBERS),
    *(("/products/p", PRODUCT | {"available": value}, "available") for value in NUMBERS if value != 0),
    *(("/users/u", USER | {"balance": value}, "balance") for value in NUMBERS if value != 0),
    *(("/orders/o", _order(quantity=value), "lines[0].quantity") for value in NUMBERS),
    *(("/orders/o", _order(price=value), "lines[0].price") for value in NUMBERS),
    ("/orders/o", _order(quantity=10_001), "lines[0].quantity"),
    ("/orders/o", _order(price=99_999_999, quantity=2), "lines"),
    ("/products/p", PRODUCT | {"price": 100_000_000}, "price"),
    ("/users/u", USER | {"balance": 10**15 + 1}, "balance"),
    ("/users/u", USER | {"currency": "EURO"}, "currency"),
    ("/users/u", USER | {"currency": {"$ne": None}}, "currency"),
    ("/users/u", USER | {"username": ""}, "username"),
    ("/users/u", USER | {"username": "a\u0000b"}, "username"),
    ("/users/u", USER | {"username": "\ud800"}, "username"),
    ("/users/u", USER | {"admin": True}, "admin"),
    ("/users/u", USER | {"$set": {"balance": 1}}, "$set"),
    ("/users/u", _without(USER, "currency"), "currency"),
    ("/users/u", USER | {"synthetic": "yes"}, "synthetic"),
    ("/users/u", [], "body"),
    ("/users/u", "null", "body"),
    ("/users/u", '"text"', "body"),
    ("/orders/o", ORDER | {"lines": []}, "lines"),
    ("/orders/o", ORDER | {"lines": {"0": line()}}, "lines"),
    ("/orders/o", ORDER | {"lines": ["apple"]}, "lines[0]"),
    ("/orders/o", ORDER | {"lines": [line(f"p{n}") for n in range(101)]}, "lines"),
    ("/orders/o", ORDER | {"lines": [line(), line("pear"), line()]}, "lines[2].product_id"),
    ("/orders/o", ORDER | {"total": 1}, "total"),
    ("/orders/o", ORDER | {"user_id": {"$ne": None}}, "user_id"),
    ("/orders/o", ORDER | {"user_id": "a.b"}, "user_id"),
    ("/orders/o", ORDER | {"user_id": "ann\n"}, "user_id"),
    ("/orders/o", _order(product_id="$where"), "lines[0].product_id"),
    ("/orders/o", _order(delivery_address=""), "lines[0].delivery_address"),
    ("/orders/o", _order(delivery_address="x" * 501), "lines[0].delivery_address"),
    ("/orders/o/reservation", _without(RESERVATION, "method"), "method"),
    ("/orders/o/reservation", _without(RESERVATION, "deadline"), "deadline"),
    ("/orders/o/reservation", RESERVATION | {"deadline": "tomorrow"}, "deadline"),
    ("/orders/o/reservation", RESERVATION | {"deadline": "2026-02-30T00:00:00Z"}, "deadline"),
    ("/orders/o/reservation", RESERVATION | {"deadline": "2026-02-01T00:00:00+02:00"}, "deadline"),
    ("/orders/o/reservation", RESERVATION | {"deadline": later(25 * 3600)}, "deadline"),
    ("/orders/o/reservation", RESERVATION | {"execution": ""}, "execution"),
    ("/orders/o/payment", PAYMENT | {"method": "cash"}, "method"),
    ("/orders/o/payment", PAYMENT | {"attempt": 0}, "attempt"),
    ("/orders/o/payment", PAYMENT | {"amount": 1}, "amount"),
    ("/orders/o/refund", {"execution": "e"}, "reason"),
    ("/orders/o/failure", {"execution": "e", "step": "s", "error": "E", "cause": ""}, "compensated"),
]


def test_a_field_that_breaks_a_rule_is_named_and_nothing_is_written(shop: Shop, call: Call) -> None:
    # Given products, a user and an order, which no request below may touch
    shop.open()
    before = shop.everything()
    for path, body, field in FIELDS:
        # When
        refused = call("PUT", path, body)
        # Then
        assert (refused.status, refused.body["name"]) == (422, "InvalidRequest"), (path, body)
        errors = refused.body["errors"]
        assert field in {error["field"] for error in errors}, (path, body, errors)
        assert all(error["rule"] for error in errors)
        assert refused.headers["Content-Type"] == "application/problem+json"
    assert shop.everything() == before


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("{", {}, (400, "MalformedRequest")),
        ("", {}, (400, "MalformedRequest")),
        ("{'a': 1}", {}, (400, "MalformedRequest")),
        ('{"balance": NaN}', {}, (400, "MalformedRequest")),
        ('{"balance": -Infinity}', {}, (400, "MalformedRequest")),
        ('{"balance": 1, "balance": 2}', {}, (400, "MalformedRequest")),
        ('{"balance": ' + "9" * 5_000 + "}", {}, (400, "MalformedRequest")),
        ("[" * 30_000, {}, (400, "MalformedRequest")),
        ("not base64!", {"isBase64Encoded": True}, (400, "MalformedRequest")),
        (base64.b64encode(b"\xff\xfe{}").decode(), {"isBase64Encoded": True}, (400, "MalformedRequest")),
        ("{}", {"headers": {"content-type": "text/plain"}}, (415, "UnsupportedMediaType")),
        ("{}", {"headers": {"Content-Type": "application/xml"}}, (415, "UnsupportedMediaType")),
        (json.dumps(USER | {"username": "x" * 394_000}), {}, (413, "ContentTooLarge")),
        (json.dumps(USER | {"username": "é" * 197_000}, ensure_ascii=False), {}, (413, "ContentTooLarge")),
    ],
)
def test_what_is_no_json_of_a_decent_size_is_refused(
    shop: Shop, call: Call, text: str, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    # When
    refused = call("PUT", "/users/u", text, **changes)
    # Then
    assert (refused.status, refused.body["name"]) == expected
    assert refused.body["type"].startswith("/problems/")
    assert refused.body["instance"] == "/users/u"
    assert not shop.everything()["users"]


def test_a_missing_body_is_malformed(call: Call) -> None:
    # When
    refused = call("PUT", "/users/u", None)
    # Then
    assert (refused.status, refused.body["name"]) == (400, "MalformedRequest")


@pytest.mark.parametrize(
    "headers", [None, {}, {"content-type": "Application/JSON; charset=utf-8"}, {"CONTENT-TYPE": ""}]
)
def test_json_by_any_header_is_taken(call: Call, headers: dict[str, str] | None) -> None:
    # When
    created = call("PUT", "/users/u", USER, headers=headers)
    # Then
    assert created.status == 201


def test_a_base64_body_is_taken(call: Call) -> None:
    # When
    text = base64.b64encode(json.dumps(USER).encode()).decode()
    created = call("PUT", "/users/u", text, isBase64Encoded=True)
    # Then
    assert created.status == 201


@pytest.mark.parametrize(
    "order_id",
    ['{"$ne": null}', "$ne", "a.b", "x" * 65, "%7B%24ne%7D", "[object Object]", "a b", "é", "null;", "", '"'],
)
def test_an_id_that_is_none_is_named(shop: Shop, call: Call, order_id: str) -> None:
    # Given an order that an operator could reach
    shop.open()
    before = shop.everything()
    # When
    answers = [
        call("GET", f"/orders/{order_id}"),
        call("PUT", f"/orders/{order_id}/refund", {"execution": "e", "reason": "r"}),
        call("DELETE", f"/orders/{order_id}"),
    ]
    # Then
    assert {answer.status for answer in answers} <= {422}
    assert {answer.body["errors"][0]["field"] for answer in answers} == {"order_id"}
    assert shop.everything() == before


@pytest.mark.parametrize("path", ["/", "/nothing", "/products", "/orders/o/nothing", "/orders/o/payment/x"])
def test_an_unknown_path_is_not_found(call: Call, path: str) -> None:
    # When
    refused = call("GET", path)
    # Then
    assert (refused.status, refused.body["name"]) == (404, "NotFound")
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/orders/o", "DELETE, GET, PUT"),
        ("PATCH", "/users/u", "DELETE, GET, PUT"),
        ("GET", "/orders/o/refund", "PUT"),
        ("DELETE", "/orders/o/history", "GET"),
        ("OPTIONS", "/orders/o/payment", "GET, PUT"),
        ("HEAD", "/orders/o", "DELETE, GET, PUT"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_refused(
    call: Call, method: str, path: str, allowed: str
) -> None:
    # When
    refused = call(method, path)
    # Then
    assert (refused.status, refused.body["name"]) == (405, "MethodNotAllowed")
    assert refused.headers["Allow"] == allowed


@pytest.mark.parametrize("event", [{}, {"order_id": "o"}, [], None, "text", {"httpMethod": "GET", "path": 1}])
def test_an_event_that_is_no_request_is_malformed(event: Any) -> None:
    # When the function is invoked with it
    answer = handler(event, SimpleNamespace(aws_request_id="r"))
    # Then
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["name"] == "MalformedRequest"


def test_a_payment_before_the_reservation_and_a_delivery_before_the_payment_are_refused(
    shop: Shop, call: Call
) -> None:
    # Given
    shop.open()
    # When
    answers = [call("PUT", "/orders/o1/payment", PAYMENT), call("PUT", "/orders/o1/deliveries", FORWARD)]
    shop.reserve()
    answers.append(call("PUT", "/orders/o1/deliveries", FORWARD))
    # Then
    assert [(a.status, a.body["name"]) for a in answers] == [(409, "IllegalTransition")] * 3


@pytest.mark.parametrize("done", [["charge"], ["charge", "deliver"]])
def test_another_attempt_at_a_payment_that_was_made_is_a_mismatch(shop: Shop, call: Call, done: Any) -> None:
    # Given
    shop.open()
    shop.reserve()
    for step in done:
        getattr(shop, step)()
    # When
    refused = call("PUT", "/orders/o1/payment", PAYMENT | {"attempt": 2})
    # Then
    assert (refused.status, refused.body["name"]) == (409, "IdempotencyMismatch")
    assert shop.balance() == 9_200


def test_a_problem_names_no_personal_data(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    # Given a body that is refused for a field beside the personal ones
    body = _order(delivery_address="SECRET STREET\u0000", quantity=0)
    # When
    refused = call("PUT", "/orders/o", body)
    call("PUT", "/users/u", USER | {"username": "SECRET NAME\u0000"})
    # Then neither the answer nor the log repeats them
    assert "SECRET" not in json.dumps(refused.body)
    assert len(caplog.records) == 2
    assert "SECRET" not in str([vars(record) for record in caplog.records])
