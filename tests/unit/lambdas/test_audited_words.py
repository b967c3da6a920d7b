"""What the data API says of an order and its payments to auditors: whether their records fit their state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_api.domain.order import State
from data_api.domain.payment import TRANSITIONS, in_order
from data_api.http import app
from data_api.storage import connection
from tests.unit.lambdas.audited_orders import AT, audited_order


@st.composite
def _histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A payment's history from nothing on, each change one that there is."""
    states: list[str] = [draw(st.sampled_from(sorted(TRANSITIONS)))]
    for _ in range(draw(st.integers(0, 3))):
        if nexts := sorted(TRANSITIONS[states[-1]]):
            states.append(draw(st.sampled_from(nexts)))
    return [{"from": a, "to": b} for a, b in zip([None, *states], states, strict=False)]


@given(_histories(), st.sampled_from(sorted(TRANSITIONS)), st.data())
def test_a_history_leads_to_its_last_state_alone_and_without_a_gap(
    history: list[dict[str, Any]], state: str, data: st.DataObject
) -> None:
    # Given a history without a gap: it leads where it ends
    end = history[-1]["to"]
    assert in_order(state, history) is (state == end)
    # When a change is lost, or begins elsewhere
    at = data.draw(st.integers(0, len(history) - 1))
    lost: list[dict[str, Any]] = history[:at] + history[at + 1 :]
    elsewhere: list[dict[str, Any]] = [*history]
    elsewhere[at] = {"from": "elsewhere", "to": history[at]["to"]}
    # Then it does not lead there any more
    assert not in_order(end, lost)
    assert not in_order(end, elsewhere)


@given(st.sampled_from(sorted(TRANSITIONS)), st.sampled_from(sorted(TRANSITIONS)))
def test_a_change_that_there_is_none_of_is_not_in_order(before: str, after: str) -> None:
    history: list[dict[str, Any]] = [{"from": None, "to": before}, {"from": before, "to": after}]
    assert in_order(after, history) is (after in TRANSITIONS[before])


@pytest.mark.parametrize(
    ("fields", "as_paid"),
    [
        ({}, True),
        ({"state": State.COMPLETED}, True),
        ({"payment": "credit:1:500:EUR"}, False),
        ({"paid_by": None}, False),
        ({"payment": "card:x:500:EUR"}, False),
        ({"payment": "card:1:501:EUR"}, False),
        ({"payment": "card:1:500:USD"}, False),
        ({"payment": "card:1:500:EUR:more"}, False),
        ({"payment": None}, False),
        ({"payment": None, "state": State.COMPLETED}, False),
        ({"payment": None, "state": State.NEW}, True),
        ({"payment": None, "state": State.FAILED}, True),
    ],
)
def test_an_order_was_paid_by_its_own_method_total_and_currency(
    fields: dict[str, Any], as_paid: bool
) -> None:
    assert audited_order(**fields).as_paid is as_paid


@given(st.integers(0, 5), st.lists(st.integers(0, 5), max_size=4), st.integers(0, 5))
def test_times_agree_when_its_first_and_last_are_the_orders_own_and_none_is_before_the_one_before(
    created: int, days: list[int], changed: int
) -> None:
    # Given
    day = timedelta(days=1)
    order = audited_order(
        created_at=AT + created * day,
        updated_at=AT + changed * day,
        history=[{"at": AT + at * day} for at in days],
    )
    # When, then
    assert order.in_time is (
        bool(days) and days == sorted(days) and (days[0], days[-1]) == (created, changed)
    )


@pytest.mark.parametrize(
    ("back", "apart", "in_time"),
    [
        (0, 0, True),
        (30, 0, True),
        (31, 0, False),
        (0, 30, True),
        (0, -30, True),
        (0, 31, False),
        (0, -31, False),
    ],
)
def test_clocks_may_differ_by_half_a_minute(back: int, apart: int, in_time: bool) -> None:
    # Given an order whose second change is by a clock that is behind
    second = AT - timedelta(seconds=back)
    order = audited_order(history=[{"at": AT}, {"at": second}], updated_at=second + timedelta(seconds=apart))
    # When, then
    assert order.in_time is in_time


def test_an_answer_is_text_and_says_what_kind() -> None:
    text, refused, nothing = app.answer(200, {"a": "ä"}), app.answer(404, {"a": 1}), app.answer(204, None)
    # API Gateway would decode it if it were said to be Base64
    assert not any(answer["isBase64Encoded"] for answer in (text, refused, nothing))
    assert [answer["multiValueHeaders"] for answer in (text, refused, nothing)] == [
        {"Content-Type": ["application/json"]},
        {"Content-Type": ["application/problem+json"]},
        {},
    ]
    assert nothing["body"] == ""


def test_a_client_waits_no_longer_than_a_request_may_and_writes_once_to_a_majority() -> None:
    # Given a client, which connects to nothing before it is asked something
    with connection.connect("mongodb://127.0.0.1:9/?connect=false") as client:
        # Then
        assert client.options.timeout == connection.REQUEST_SECONDS == 2.0
        assert client.write_concern.document == {"w": "majority"}
        assert client.read_concern.level == "majority"
        assert (client.options.retry_writes, client.options.retry_reads) == (False, True)
        assert client.codec_options.tz_aware
