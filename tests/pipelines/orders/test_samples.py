"""Sample files: amounts exact to the cent, and anything wrong refused whole, with its place."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_api.http import requests
from data_api.schemas import bodies
from payment_data import money
from payment_data.client import encoded
from payment_data.errors import Problem
from pipelines.core.refusals import Refused
from pipelines.core.repository import SAMPLES
from pipelines.orders import samples
from pipelines.orders.sample_schemas import kinds

_PRODUCT = '{"product_id": "tea", "name": "Tea", "price": %s, "available_count": 3, "type": "food"}'
_USER = '{"user_id": "ada", "username": "Ada", "credit": %s}'
_LINE = {
    "product_id": "tea",
    "name": "Tea",
    "price": "50.95",
    "requested_count": 2,
    "type": "food",
    "delivery_address": "1 Row",
}
_ORDER = {"order_id": "order-1", "user_id": "ada", "products": [_LINE]}


def _lines(count: int, *, address: str) -> list[dict[str, object]]:
    line = _LINE | {"delivery_address": address, "requested_count": 1}
    return [line | {"product_id": f"tea-{number}"} for number in range(count)]


def _file(tmp_path: Path, text: str, name: str = "samples.json") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("written", "cents"),
    [("50.95", 5095), ('"50.95"', 5095), ("50", 5000), ("0.1", 10), ("1e2", 10000), ('"0.07"', 7)],
)
def test_amounts_are_exact(tmp_path: Path, written: str, cents: int) -> None:
    # Given a product whose price is written in one of the ways that people write prices
    path = _file(tmp_path, _PRODUCT % written)
    # When it is read, then the price is that many cents
    assert samples.read([path], "EUR").products["tea"]["price"] == cents


@pytest.mark.parametrize(
    "written",
    ["50.951", "-1", '"1,50"', "true", "null", "NaN", "1e999999999", '"1e2"', "1000000", "0", "-0", "0.00"],
)
def test_what_is_no_amount_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(Refused, match=r"samples\.json: (price: must|NaN)"):
        samples.read([_file(tmp_path, _PRODUCT % written)], "EUR")


def test_an_order_becomes_what_the_data_api_takes(tmp_path: Path) -> None:
    path = _file(tmp_path, json.dumps(_ORDER))
    line = {
        "product_id": "tea",
        "name": "Tea",
        "type": "food",
        "price": 5095,
        "quantity": 2,
        "delivery_address": "1 Row",
    }
    assert samples.read([path], "EUR").orders == {
        "order-1": {"user_id": "ada", "currency": "EUR", "lines": [line]}
    }


@pytest.mark.parametrize(
    "text",
    [
        f"[{_PRODUCT % 1}, {_USER % 2}]",
        f'{{"users": [{_USER % 2}], "products": [{_PRODUCT % 1}]}}',
    ],
)
def test_lists_and_named_lists_are_recognized_by_shape(tmp_path: Path, text: str) -> None:
    found = samples.read([_file(tmp_path, text)], "EUR")
    assert (list(found.products), list(found.users)) == (["tea"], ["ada"])


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{", "line 1 column 2"),
        ("[1]", r"\[0\]: has no order_id, product_id or user_id"),
        ('"tea"', "the file: has no order_id"),
        (f'[{_USER % 1}, {{"user_id": "bob", "username": "Bob"}}]', r"\[1\]\.credit: is required"),
        (json.dumps([_ORDER | {"products": []}]), r"\[0\]\.products: must be a list of 1 to 100 items"),
        (
            json.dumps([_ORDER | {"products": [_LINE, _LINE]}]),
            r"\[0\]\.products\[1\]\.product_id: must not repeat",
        ),
        (
            json.dumps([_ORDER | {"products": [_LINE | {"requested_count": 1.0}]}]),
            r"products\[0\]\.requested_count",
        ),
        (
            json.dumps([_ORDER | {"products": [_LINE | {"requested_count": 0}]}]),
            r"products\[0\]\.requested_count",
        ),
        (
            json.dumps({"users": [_ORDER | {"order_id": {"$ne": None}}]}),
            r"users\[0\]\.order_id: must be text",
        ),
        (json.dumps(_ORDER | {"coupon": "x"}), "coupon: is not a known field"),
        ('{"user_id": "a", "user_id": "b"}', "the key 'user_id' stands twice"),
        ('{"products": {}}', "products: must be a list"),
        (f"[{_USER % 1}, {_USER % 2}]", r"\[1\]: user_id ada is not the same as in .*samples\.json: \[0\]"),
        (json.dumps([_ORDER | {"products": [_LINE | {"type": "x" * 65}]}]), r"type: must be text of 1 to 64"),
        (
            json.dumps([_ORDER | {"products": [_LINE | {"delivery_address": ""}]}]),
            r"delivery_address: must be text of 1 to 500",
        ),
        (
            json.dumps([_ORDER | {"products": [_LINE | {"price": "999999.99"}]}]),
            r"\[0\]: must not cost more than 999999\.99 EUR in all",
        ),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_the_place(tmp_path: Path, text: str, finding: str) -> None:
    with pytest.raises(Refused, match=rf"samples\.json: .*{finding}"):
        samples.read([_file(tmp_path, text)], "EUR")


def test_one_bad_file_refuses_the_good_ones_too(tmp_path: Path) -> None:
    good = _file(tmp_path, _USER % 1, "good.json")
    bad = _file(tmp_path, _USER % -1, "bad.json")
    with pytest.raises(Refused, match="Nothing was loaded") as refusal:
        samples.read([good, bad], "EUR")
    assert "good.json" not in refusal.value.message


def test_the_same_record_twice_is_one(tmp_path: Path) -> None:
    paths = [_file(tmp_path, _USER % "1.50", "one.json"), _file(tmp_path, _USER % '"1.5"', "two.json")]
    assert samples.read(paths, "EUR").users["ada"]["balance"] == 150


def test_amounts_have_the_decimals_of_their_currency(tmp_path: Path) -> None:
    path = _file(tmp_path, _USER % "50.9")
    with pytest.raises(Refused, match="at most 0 decimals in JPY"):
        samples.read([path], "JPY")


def test_the_samples_that_come_along_are_right() -> None:
    assert len(samples.read(SAMPLES.glob("*.json"), "EUR")) > 10


@pytest.mark.parametrize("letter", ["a", '"', "駅", "🏠"])
def test_the_largest_order_of_any_script_is_one_request(tmp_path: Path, letter: str) -> None:
    # Given an order whose every field is as long as it may be
    lines = _lines(bodies.MAX_LINES, address=letter * 500)
    long = {
        "name": letter * 200,
        "type": letter * 64,
        "price": "0.01",
        "requested_count": bodies.MAX_QUANTITY,
    }
    each = [line | long | {"product_id": f"{number:x>64}"} for number, line in enumerate(lines)]
    order = _ORDER | {"order_id": "o" * 64, "user_id": "u" * 64, "products": each}
    # When it is read, and sent
    [body] = samples.read([_file(tmp_path, json.dumps(order))], "EUR").orders.values()
    # Then the data API takes it, and its document, deliveries included, is no larger than two requests
    assert len(encoded(body)) <= requests.MAX_BYTES < 500_000


_TEXTS = st.text(st.sampled_from("aé駅\n\x00\ud800 "), max_size=501) | st.just("x" * 65) | st.just("y" * 201)
_AMOUNTS = st.integers(-1, 10**8) | st.sampled_from([0, 1, 99_999_999, 100_000_000])


@given(st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS, _AMOUNTS, st.integers(-1, 10_001)), max_size=3))
def test_what_is_accepted_is_what_the_data_api_accepts(rows: list[tuple[str, str, str, int, int]]) -> None:
    # Given an order in the files' words, and the same as a request
    lines = [
        {"product_id": f"p{n}", "name": row[0], "type": row[1], "delivery_address": row[2]}
        for n, row in enumerate(rows)
    ]
    record = {
        "order_id": "order-1",
        "user_id": "ada",
        "products": [
            line | {"price": Decimal(row[3]).scaleb(-2), "requested_count": row[4]}
            for line, row in zip(lines, rows, strict=True)
        ],
    }
    body = {
        "user_id": "ada",
        "currency": "EUR",
        "lines": [
            line | {"price": row[3], "quantity": row[4]} for line, row in zip(lines, rows, strict=True)
        ],
    }
    # When both are asked
    (orders, *_) = kinds("EUR")
    refused_here = list(orders.check(record, "body"))
    # Then they say the same
    assert bool(refused_here) == _refused_by_the_data_api(body)


def _refused_by_the_data_api(body: Mapping[str, object]) -> bool:
    try:
        text = json.dumps(body, ensure_ascii=False)
        document = requests.read_body({"body": text}, bodies.ORDER)
    except Problem:
        return True
    total: int = sum(line["price"] * line["quantity"] for line in document["lines"])
    return total > money.MAX_AMOUNT
