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
LINE_PATTERN = r"^[^\x00-\x1f\x7f]*$"
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


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        (Text(3, 1), "", "must be text of 1 to 3 characters"),
        (Text(3, 1), "abcd", "must be text of 1 to 3 characters"),
        (Text(3, 1), 7, "must be text of 1 to 3 characters"),
        (Text(3), "a\nb", "must not hold control characters"),
        (Text(3, 1, rule="must be a word"), "", "must be a word"),
        (Text(3, 1, r"^[a-z]+$", "must be a word"), "A", "must be a word"),
        (Integer(1, 9), 0, "must be an integer from 1 to 9"),
        (Integer(1, 9), 10, "must be an integer from 1 to 9"),
        (Integer(1, 9), False, "must be an integer from 1 to 9"),
        (Integer(1, 9), "1", "must be an integer from 1 to 9"),
        (Boolean(), 1, "must be true or false"),
        (Choice(("a", "b")), "c", "must be one of a, b"),
        (Choice(("a", "b"), "must be a letter"), "c", "must be a letter"),
        (Timestamp(), "soon", "must be an RFC 3339 time in UTC like 2026-01-31T12:00:00Z"),
        (Timestamp(), 7, "must be an RFC 3339 time in UTC like 2026-01-31T12:00:00Z"),
        (Array(Boolean(), 1, 2), [], "must be a list of 1 to 2 items"),
        (Array(Boolean(), 1, 2), [True] * 3, "must be a list of 1 to 2 items"),
        (Array(Boolean(), 1, 2), (True,), "must be a list of 1 to 2 items"),
        (Object({}), [], "must be an object"),
        (Object({"a": Boolean()}), {}, "is required"),
        (Object({}), {"a": 1}, "is not a known field"),
    ],
)
def test_a_rule_is_a_sentence(kind: Any, value: Any, rule: str) -> None:
    assert [error.rule for error in kind.check(value, "at")] == [rule]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text(3, 1), "a"),
        (Text(3, 1), "äöü"),
        (Text(3, pattern=LINES), "\n\t"),
        (Integer(1, 9), 1),
        (Integer(1, 9), 9),
        (Integer(-1, 9), -1),
        (Boolean(), False),
        (Choice(("a", "b")), "b"),
        (Timestamp(), "2026-01-31T12:00:00Z"),
        (Timestamp(), "2026-01-31T12:00:00.123456789Z"),
        (Array(Boolean(), 0, 2), []),
        (Array(Boolean(), 1, 2), [True, False]),
        (Object({"a": Boolean()}, ("a",)), {}),
        (Object({"a": Boolean()}, ("a",)), {"a": True}),
    ],
)
def test_what_keeps_a_rule_breaks_none(kind: Any, value: Any) -> None:
    assert list(kind.check(value, "at")) == []


def test_a_repeated_key_names_both_places() -> None:
    items = [{"product_id": "p"}, {"product_id": "q"}, {"product_id": "p"}, {"product_id": "p"}]
    kind = Array(Object({"product_id": ID}), 1, 9, unique="product_id")
    assert [tuple(error) for error in kind.check(items, "lines")] == [
        ("lines[2].product_id", "must not repeat that of lines[0]"),
        ("lines[3].product_id", "must not repeat that of lines[0]"),
    ]
    assert list(Array(Object({"product_id": ID}), 1, 9).check(items, "lines")) == []


def test_the_place_of_a_field_begins_at_the_body() -> None:
    nested = Object({"outer": Object({"inner": Boolean()})})
    assert [error.field for error in nested.check({"outer": {"inner": 1}}, "body")] == ["outer.inner"]
    assert [error.field for error in nested.check({"outer": {"inner": 1}}, "x")] == ["x.outer.inner"]


def test_an_unknown_key_is_shown_short_and_in_ascii() -> None:
    (error,) = Object({}).check({"é" + "x" * 100: 1}, "body")
    assert error.field == "\\xe9" + "x" * 60


def test_the_number_of_broken_rules_is_told() -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate(Object({"a": ID, "b": ID}), {})
    assert refused.value.detail == "2 field(s) break a rule"
    with pytest.raises(InvalidRequest) as refused:
        validate(ID, None)
    assert refused.value.errors[0].field == "body"


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (
            Text(9, 1, r"^x$", description="A text."),
            {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^x$", "description": "A text."},
        ),
        (Text(9), {"type": "string", "minLength": 0, "maxLength": 9, "pattern": LINE_PATTERN}),
        (
            Integer(1, 9, "A number."),
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "A number."},
        ),
        (Boolean("A flag."), {"type": "boolean", "description": "A flag."}),
        (Boolean(), {"type": "boolean"}),
        (
            Choice(("a", "b"), description="A word."),
            {"type": "string", "enum": ["a", "b"], "description": "A word."},
        ),
        (
            Timestamp("A time."),
            {
                "type": "string",
                "format": "date-time",
                "pattern": Timestamp().pattern,
                "description": "A time.",
            },
        ),
        (
            Array(Boolean(), 1, 2, description="Flags."),
            {
                "type": "array",
                "items": {"type": "boolean"},
                "minItems": 1,
                "maxItems": 2,
                "description": "Flags.",
            },
        ),
        (
            Object({"a": Boolean(), "b": Boolean()}, ("b",), "A thing."),
            {
                "type": "object",
                "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}},
                "required": ["a"],
                "additionalProperties": False,
                "description": "A thing.",
            },
        ),
    ],
)
def test_a_schema_says_every_rule(kind: Any, schema: dict[str, Any]) -> None:
    assert kind.schema() == schema


def test_an_identifier_is_what_the_ids_are() -> None:
    assert identifier("An id.").schema() == {
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "pattern": "^[A-Za-z0-9_-]{1,64}$",
        "description": "An id.",
    }
    (error,) = identifier("An id.").check("a b", "id")
    assert error.rule == "must be text of 1 to 64 letters, digits, '-' or '_'"


@pytest.mark.parametrize("kind", [ID, Integer(1, 9), Boolean(), Choice(("a",)), Timestamp(), LINE, ORDER])
def test_a_type_cannot_be_changed(kind: Any) -> None:
    with pytest.raises(AttributeError):
        kind.description = "another"
    with pytest.raises((AttributeError, TypeError)):
        kind.new = 1
