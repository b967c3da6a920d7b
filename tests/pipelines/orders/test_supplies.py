"""`payments stock add`, `price set`, `credit add` and `wallet set`: their requests, and what they refuse."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from payment_data.client import DataApi, Response
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.orders import payment_stack

PRODUCT = {"product_id": "tea", "price": 495, "currency": "EUR", "available": 25}
USER = {"user_id": "ada", "balance": 3500, "currency": "EUR"}


class Shop:
    """A stack whose data API answers as told, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answer = Response(200, json.dumps(PRODUCT | USER).encode())
        aws = SimpleNamespace(environment=SimpleNamespace(currency="EUR", default_stack="payments-local"))
        monkeypatch.setattr(local_aws, "connect", lambda *_: aws)
        stack = SimpleNamespace(api=DataApi(self._ask))
        monkeypatch.setattr(payment_stack, "connect", lambda *_: stack)

    def _ask(self, method: str, path: str, body: bytes | None) -> Response:
        self.asked.append((f"{method} {path}", json.loads(body or b"null")))
        return self.answer


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "request_line", "body", "told"),
    [
        (
            ("stock", "add", "tea", "20", "--id", "note-1"),
            "PUT /products/tea/restocks/note-1",
            {"quantity": 20},
            "tea: 25 available",
        ),
        (("price", "set", "tea", "4.95"), "PUT /products/tea/price", {"price": 495}, "tea costs 4.95 EUR"),
        (
            ("credit", "add", "ada", "25.00", "--id", "transfer-1"),
            "PUT /users/ada/top-ups/transfer-1",
            {"amount": 2500, "currency": "EUR"},
            "ada has 35.00 EUR",
        ),
        (
            ("wallet", "set", "ada", "--customer", "cus_1", "--card", "pm_1"),
            "PUT /users/ada/wallet",
            {"customer": "cus_1", "card": "pm_1"},
            "ada pays with customer, card",
        ),
        (("wallet", "set", "ada"), "PUT /users/ada/wallet", {}, "ada pays with nothing at Stripe"),
    ],
)
def test_a_change_is_one_request(
    shop: Shop, arguments: tuple[str, ...], request_line: str, body: Any, told: str
) -> None:
    # When
    result = CliRunner().invoke(main, arguments)
    # Then
    assert result.exit_code == 0, result.output
    assert [asked for asked in shop.asked if not asked[0].startswith("GET ")] == [(request_line, body)]
    assert told in result.stderr


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (("price", "set", "tea", "495"), {"price": 495}),
        (("credit", "add", "ada", "2500", "--id", "x"), {"amount": 2500, "currency": "JPY"}),
    ],
)
def test_an_amount_is_in_the_currency_of_what_it_changes_not_of_the_environment(
    shop: Shop, arguments: tuple[str, ...], body: Any
) -> None:
    # Given a product and a user in yen, in an environment of euros
    shop.answer = Response(200, json.dumps(PRODUCT | USER | {"currency": "JPY"}).encode())
    # When; Then
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert shop.asked[-1][1] == body
    # And what yen do not have is refused
    assert CliRunner().invoke(main, (*arguments[:3], "4.95", *arguments[4:])).exit_code != 0
    assert shop.asked[-1][0].startswith("GET ")


def test_the_answer_is_json_for_a_machine(shop: Shop) -> None:
    result = CliRunner().invoke(main, ("price", "set", "tea", "4.95", "--json"))
    assert json.loads(result.stdout)["price"] == 495


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("price", "set", "tea", "4.955"), "must have at most 2 decimals in EUR"),
        (("price", "set", "t ea", "4.95"), "'t ea' is no id"),
        (("stock", "add", "tea", "20", "--id", "a b"), "'a b' is no id"),
        (("credit", "add", "ada", "-5", "--id", "x"), "No such option"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_changed(
    shop: Shop, arguments: tuple[str, ...], why: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert why in result.stderr
    assert [asked for asked in shop.asked if not asked[0].startswith("GET ")] == []


def test_a_refusal_of_the_data_api_is_told(shop: Shop) -> None:
    problem = {"name": "IdempotencyMismatch", "status": 409, "detail": "this restock was of 5"}
    shop.answer = Response(409, json.dumps(problem).encode())
    result = CliRunner().invoke(main, ("stock", "add", "tea", "20", "--id", "note-1"))
    assert result.exit_code == 1
    assert "tea was not changed: IdempotencyMismatch: this restock was of 5" in result.stderr
