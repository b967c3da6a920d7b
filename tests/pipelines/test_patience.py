"""Asking again, for less: only where a failure may pass, and not for ever."""

import pytest

from payment_data.errors import InvalidRequest, OutcomeUnknown, Problem, Throttled
from pipelines.core import waiting
from pipelines.core.waiting import patiently


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_PAUSE_SECONDS", 0)


def _failing(times: int, problem: Problem, asked: list[int]) -> int:
    def ask(limit: int) -> int:
        asked.append(limit)
        if len(asked) <= times:
            raise problem
        return limit

    return patiently(ask, 100)


@pytest.mark.parametrize("problem", [Throttled(), OutcomeUnknown()])
def test_what_may_pass_is_asked_again_with_half_as_much(problem: Problem) -> None:
    asked = list[int]()
    assert _failing(2, problem, asked) == 25
    assert asked == [100, 50, 25]


def test_what_does_not_pass_is_raised_in_the_end() -> None:
    asked = list[int]()
    with pytest.raises(Throttled):
        _failing(99, Throttled(), asked)
    assert len(asked) == 6
    assert min(asked) >= 1


def test_a_refusal_is_raised_at_once() -> None:
    asked = list[int]()
    with pytest.raises(InvalidRequest):
        _failing(1, InvalidRequest(), asked)
    assert asked == [100]
