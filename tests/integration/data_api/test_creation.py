"""Creating products, users and orders: once, however often it is asked."""

from typing import Any

import pytest

from tests.integration.data_api.conftest import Call
from tests.integration.data_api.shop import line

PRODUCT = {"name": "Apple", "type": "fruit", "price": 250, "currency": "EUR", "available": 3}
USER = {"username": "Ann", "balance": 0, "currency": "EUR"}
ORDER = {"user_id": "ann", "currency": "EUR", "lines": [line(quantity=3)]}
ALL = pytest.mark.parametrize(
    ("path", "body"), [("/products/p", PRODUCT), ("/users/u", USER), ("/orders/o", ORDER)]
)


@ALL
def test_the_first_request_creates_and_the_next_ones_find(
    call: Call, path: str, body: dict[str, Any]
) -> None:
    # When it is asked twice, the second time with its keys in another order
    first = call("PUT", path, body)
    second = call("PUT", path, dict(reversed(body.items())))
    # Then
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body == call("GET", path).body


@ALL
def test_the_same_id_with_another_body_is_refused_and_changes_nothing(
    call: Call, path: str, body: dict[str, Any]
) -> None:
    # Given
    created = call("PUT", path, body)
    # When
    refused = call("PUT", path, body | {"currency": "USD"})
    # Then
    assert (refused.status, refused.body["name"]) == (409, "IdempotencyMismatch")
    assert call("GET", path).body == created.body


def test_an_orders_total_is_computed(call: Call) -> None:
    # When
    created = call("PUT", "/orders/o", ORDER | {"lines": [line(quantity=3), line("pear", 2, price=100)]})
    # Then
    assert created.body["total"] == 950
    assert created.body["state"] == "NEW"


@pytest.mark.parametrize("order_id", ["0", "-", "_", "12", "-a-", "x" * 64])
def test_every_id_that_is_allowed_works_as_a_key(call: Call, order_id: str) -> None:
    # Given an id that MongoDB could take for an index or an option
    call("PUT", "/products/apple", PRODUCT | {"name": "apple"})
    call("PUT", "/users/ann", USER | {"balance": 10_000})
    call("PUT", f"/orders/{order_id}", ORDER | {"lines": [line()]})
    late = {"execution": "e", "deadline": "2000-01-01T00:00:00Z", "method": "credit"}
    # When it goes the way back
    assert call("PUT", f"/orders/{order_id}/reservation", late).status == 409
    undo = {"execution": "e", "reason": "r"}
    assert call("PUT", f"/orders/{order_id}/refund", undo).status == 200
    # Then
    assert call("GET", f"/orders/{order_id}/reservation").body["lines"][0]["state"] == "void"
    assert call("GET", f"/orders/{order_id}/payment").body["state"] == "none"
