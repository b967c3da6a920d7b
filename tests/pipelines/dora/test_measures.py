"""The arithmetic of the four measures, over deployments of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.status import delivery
from pipelines.status.deployments import Deployment

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
spans = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=30))


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """One that is under way, good, failed and restored, or failed and still broken."""
    at = BEGIN + draw(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=59)))
    commits = tuple(at - span for span in draw(st.lists(spans, max_size=3)))
    kind = draw(st.sampled_from(["under way", "good", "retried", "restored", "broken"]))
    later = at + draw(spans) + timedelta(seconds=1)
    return {
        "under way": Deployment("e", commits),
        "good": Deployment("e", commits, succeeded=at),
        "retried": Deployment("e", commits, failed=at, succeeded=later, restored=later),
        "restored": Deployment("e", commits, failed=at, restored=later),
        "broken": Deployment("e", commits, failed=at),
    }[kind]


many = st.lists(deployments(), max_size=30)


def test_nothing_deployed_is_nothing_measured_rather_than_nought() -> None:
    for none in ([], [Deployment("under way")]):
        found = delivery.measure(none, BEGIN)
        assert (found.deployments, found.per_week, found.ended) == (0, 0, 0)
        assert (found.lead_time_seconds, found.failure_rate, found.restore_seconds) == (None, None, None)


@given(many)
def test_adjacent_windows_together_count_what_the_whole_does(found: list[Deployment]) -> None:
    whole = delivery.measure(found, BEGIN + 60 * DAY, 60 * DAY)
    halves = [
        delivery.measure(found, BEGIN + 30 * DAY, 30 * DAY),
        delivery.measure(found, BEGIN + 60 * DAY, 30 * DAY),
    ]
    for count in ("deployments", "changes", "ended", "failures", "restored"):
        assert getattr(whole, count) == sum(getattr(half, count) for half in halves)
    assert whole.per_week == pytest.approx(sum(half.per_week for half in halves) / 2)


@given(many, st.randoms())
def test_neither_their_order_nor_those_under_way_matter(found: list[Deployment], random: object) -> None:
    shuffled = [*found, Deployment("under way")]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's Random
    assert delivery.measure(shuffled, BEGIN + 60 * DAY) == delivery.measure(found, BEGIN + 60 * DAY)


@given(many)
def test_a_rate_is_a_share_and_medians_lie_among_what_they_sum_up(found: list[Deployment]) -> None:
    told = delivery.measure(found, BEGIN + 90 * DAY, 90 * DAY)
    leads = [(one.succeeded - at).total_seconds() for one in found if one.succeeded for at in one.committed]
    assert (told.lead_time_seconds is None) == (not leads)
    if told.lead_time_seconds is not None:
        assert min(leads) <= told.lead_time_seconds <= max(leads)
        assert sum(lead <= told.lead_time_seconds for lead in leads) * 2 >= len(leads)
    assert (told.failure_rate is None) == (told.ended == 0)
    assert 0 <= (told.failure_rate or 0) <= 1
    assert told.restored <= told.failures <= told.ended
    assert (told.restore_seconds or 1) > 0


@given(st.integers(0, 40), st.integers(1, 12))
def test_the_frequency_is_deployments_in_a_week(count: int, weeks: int) -> None:
    good = [Deployment(str(n), succeeded=BEGIN + n * HOUR) for n in range(count)]
    told = delivery.measure(good, BEGIN + weeks * 7 * DAY, weeks * 7 * DAY)
    assert told.per_week == pytest.approx(count / weeks)


def test_a_window_holds_its_begin_and_not_its_end() -> None:
    good = [Deployment("first", succeeded=BEGIN), Deployment("next", succeeded=BEGIN + 28 * DAY)]
    assert delivery.measure(good, BEGIN + 28 * DAY).deployments == 1


def test_a_retried_deployment_is_one_failure_and_one_deployment_with_all_of_its_lead_time() -> None:
    # Given one that failed an hour after its commit, and succeeded on a retry two hours later
    retried = Deployment("e", (BEGIN,), BEGIN + HOUR, BEGIN + 3 * HOUR, BEGIN + 3 * HOUR)
    # Then
    told = delivery.measure([retried], BEGIN + DAY)
    assert (told.deployments, told.failure_rate) == (1, 1.0)
    assert (told.lead_time_seconds, told.restore_seconds) == (3 * 3600, 2 * 3600)
