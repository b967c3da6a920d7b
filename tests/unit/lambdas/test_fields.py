import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_data.errors import InvalidOrder, InvalidRequest
from payment_data.fields import (
    LINES,
    Array,
    Boolean,
    Choice,
    Integer,
    Object,
    Text,
    Timestamp,
    identifier,
    validate,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ID = identifier("An id.")
LINE = Object({"product_id": ID, "quantity": Integer(1, 9), "gift": Boolean()}, ("gift",))
ORDER = Object(
    {"lines": Array(LINE, 1, 3, unique="product_id"), "at": Timestamp(), "kind": Choice(("a", "b"))}
)
GOOD = {"lines": [{"product_id": "p", "quantity": 1}], "at": "2026-01-31T12:00:00.5Z", "kind": "a"}


def _broken(value: Any) -> list[str]:
    return [error.field for error in ORDER.check(value, "body")]


def test_what_fits_is_accepted() -> None:
    validate(ORDER, GOOD)
    validate(ORDER, GOOD | {"at": "2026-01-31T12:00:00+00:00"})


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"lines": []}, ["lines"]),
        ({"lines": [{"product_id": "p"}]}, ["lines[0].quantity"]),
        ({"lines": [{"product_id": "p", "quantity": 0, "x": 1}]}, ["lines[0].quantity", "lines[0].x"]),
        ({"lines": [{"product_id": "p", "quantity": True}]}, ["lines[0].quantity"]),
        ({"lines": [{"product_id": "p", "quantity": 1.0}]}, ["lines[0].quantity"]),
        ({"lines": [{"product_id": "p", "quantity": 1, "gift": 1}]}, ["lines[0].gift"]),
        ({"lines": [{"product_id": "p", "quantity": 1}] * 2}, ["lines[1].product_id"]),
        ({"lines": [{"product_id": {"$ne": None}, "quantity": 1}] * 2}, ["lines[0].product_id"] * 1),
        ({"at": "2026-01-31"}, ["at"]),
        ({"at": "2026-02-30T12:00:00Z"}, ["at"]),
        ({"at": "2026-01-31T12:00:00Z\n"}, ["at"]),
        ({"at": "2026-01-31T12:00:00+02:00"}, ["at"]),
        ({"kind": "c"}, ["kind"]),
        ({"kind": ["a"]}, ["kind"]),
        ({"$where": "1"}, ["$where"]),
    ],
)
def test_each_broken_rule_is_named_by_its_place(change: dict[str, Any], fields: list[str]) -> None:
    assert set(fields) <= set(_broken(GOOD | change))


def test_a_missing_key_is_named_and_the_body_itself_too() -> None:
    assert _broken({}) == ["lines", "at", "kind"]
    assert _broken(None) == ["body"]


def test_the_problem_is_of_the_asked_class_and_says_field_and_rule() -> None:
    with pytest.raises(InvalidOrder, match="order_id: must be text of 1 to 64 letters") as refused:
        validate(ID, {"$ne": None}, "order_id", InvalidOrder)
    assert refused.value.errors[0].field == "order_id"


def test_many_errors_are_cut() -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate(ORDER, dict.fromkeys(map(str, range(1000))))
    assert len(refused.value.errors) == 20


@given(JSON)
def test_any_json_is_judged_without_a_crash_and_what_is_accepted_is_utf_8(value: Any) -> None:
    for kind in (
        ORDER,
        ID,
        Text(10),
        Text(10, pattern=LINES),
        Integer(0, 9),
        Timestamp(),
        Choice(("a",)),
        LINE,
    ):
        if not list(kind.check(value, "body")):
            json.dumps(value, ensure_ascii=False).encode()


@given(st.text() | st.text("aZ09-_.$/", max_size=70))
def test_an_id_is_safe_as_a_key_a_path_and_a_name(text: str) -> None:
    accepted = not list(ID.check(text, "id"))
    allowed = set("-_" + string.ascii_letters + string.digits)
    assert accepted == (0 < len(text) <= 64 and set(text) <= allowed)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\x7f", "\ud800"])
def test_text_of_one_line_holds_no_control_characters(text: str) -> None:
    assert list(Text(10).check(text, "name"))


def test_the_schema_says_the_same_rules() -> None:
    schema = ORDER.schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["lines", "at", "kind"]
    line = schema["properties"]["lines"]["items"]
    assert line["required"] == ["product_id", "quantity"]
    assert line["properties"]["quantity"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert schema["properties"]["kind"]["enum"] == ["a", "b"]
