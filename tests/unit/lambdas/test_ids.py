import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_data.fields import is_id, record_id


@pytest.mark.parametrize("value", ["a", "A-b_9", "0", "x" * 64, "-"])
def test_ids(value: str) -> None:
    assert is_id(value)


@pytest.mark.parametrize(
    "value", ["", "x" * 65, "a.b", "$a", "a b", "a\n", "é", None, 1, {"$ne": None}, ["a"]]
)
def test_what_is_no_id(value: object) -> None:
    assert not is_id(value)


def test_a_failure_is_recorded_under_the_executions_name_if_that_is_an_id() -> None:
    assert record_id("order-1") == "order-1"


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_name_gives_an_id_of_its_own(one: str, other: str) -> None:
    assert is_id(record_id(one))
    assert (record_id(one) == record_id(other)) == (one == other)
