"""What the one loop of the product code answers, and what it says when it gives up."""

from __future__ import annotations

from typing import Final

import pytest

from pipelines.core import waiting
from pipelines.core.waiting import TimedOut, wait_until


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock: Final = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def test_what_holds_at_once_is_answered_without_a_pause(clock: Clock) -> None:
    assert wait_until(lambda: "ready", seconds=10, every=1, what="it") == "ready"
    assert clock.pauses == []


def test_the_first_true_answer_is_returned_and_nothing_is_asked_after_it(clock: Clock) -> None:
    answers = iter([None, [], ["event"]])
    assert wait_until(lambda: next(answers), seconds=10, every=2, what="it") == ["event"]
    assert clock.pauses == [2, 2]
    assert list(answers) == []


def test_it_asks_once_more_when_the_time_is_over_and_then_says_what_it_waited_for(clock: Clock) -> None:
    asked: list[float] = []
    with pytest.raises(TimedOut, match=r"^Waited 5 seconds for the stack to end\.$") as refusal:
        wait_until(
            lambda: asked.append(clock.now), seconds=5, every=2, what="the stack to end", hint="Look at it."
        )
    assert asked == [0, 2, 4, 5]
    assert refusal.value.hint == "Look at it."


def test_a_long_time_is_told_in_minutes(clock: Clock) -> None:
    with pytest.raises(TimedOut, match="Waited 2 minutes for"):
        wait_until(lambda: None, seconds=120, every=60, what="it")
    with pytest.raises(TimedOut, match="Waited 119 seconds for"):
        wait_until(lambda: None, seconds=119, every=60, what="it")


@pytest.mark.usefixtures("clock")
def test_an_error_of_the_probe_ends_the_waiting() -> None:
    def probe() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        wait_until(probe, seconds=10, every=1, what="it")
