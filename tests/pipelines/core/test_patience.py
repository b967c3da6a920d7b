"""Asking again, for less: only where a failure may pass, and not for ever."""

from types import SimpleNamespace

import pytest

from payment_data.errors import InvalidRequest, OutcomeUnknown, Problem, Throttled
from pipelines.core.waiting import patiently


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds; none of them is."""
    made = list[float]()
    monkeypatch.setattr("pipelines.core.waiting.time", SimpleNamespace(sleep=made.append))
    return made


def _failing(times: int, problem: Problem, asked: list[int], limit: int = 100) -> int:
    def ask(limit: int) -> int:
        asked.append(limit)
        if len(asked) <= times:
            raise problem
        return limit

    return patiently(ask, limit)


@pytest.mark.parametrize("problem", [Throttled(), OutcomeUnknown()])
def test_what_may_pass_is_asked_again_with_half_as_much(problem: Problem) -> None:
    asked = list[int]()
    assert _failing(2, problem, asked) == 25
    assert asked == [100, 50, 25]


def test_what_does_not_pass_is_raised_in_the_end(pauses: list[float]) -> None:
    asked = list[int]()
    with pytest.raises(Throttled):
        _failing(99, Throttled(), asked)
    assert asked == [100, 50, 25, 12, 6, 3]
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2])


def test_nothing_is_ever_asked_for_none() -> None:
    asked = list[int]()
    with pytest.raises(Throttled):
        _failing(99, Throttled(), asked, limit=3)
    assert asked == [3, 1, 1, 1, 1, 1]


def test_a_refusal_is_raised_at_once() -> None:
    asked = list[int]()
    with pytest.raises(InvalidRequest):
        _failing(1, InvalidRequest(), asked)
    assert asked == [100]
