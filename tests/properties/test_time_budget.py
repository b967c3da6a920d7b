"""The worst case of each state and of the whole execution, added up from the generated definition."""

from typing import Any

import pytest

from templates.definitions import tasks, time_budget
from templates.definitions.payment_workflow import (
    CHARGE,
    PARKED,
    RECORD,
    REFUND,
    RELEASE,
    RESERVE,
    definition,
)

FORWARD = 9 * 10 + (1 + 2 + 4 + 8 + 16 + 3 * 20)
"""Nine attempts of ten seconds, and the waits between them."""
BACK = 51 * 10 + (1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256 + 41 * 300)
BANK = 100 * 10 + sum(60 * 2**n for n in range(9)) + 91 * 6 * 3600


def test_each_state_takes_at_worst_its_attempts_and_waits() -> None:
    worst = time_budget.figures()["states"]
    assert {name: one["seconds"] for name, one in worst.items()} == {
        **dict.fromkeys(time_budget.FORWARD, FORWARD),
        **dict.fromkeys((REFUND, RELEASE, RECORD, PARKED), BACK),
    }
    waiting = {name: one["waiting_seconds"] for name, one in worst.items() if one["waiting_seconds"]}
    assert waiting == {CHARGE: BANK, REFUND: BANK}


def test_forward_retries_all_end_before_the_deadline_that_refuses_them() -> None:
    # Given the states that an order passes where nothing fails, each counted by name
    workflow, passed = definition(), []
    name = workflow["StartAt"]
    while workflow["States"][name]["Type"] == "Task":
        passed.append(name)
        name = workflow["States"][name]["Next"]
    assert list(time_budget.FORWARD) == passed, "name them in FORWARD of templates/definitions/time_budget.py"
    # Then
    seconds = time_budget.figures()["forward"]["seconds"]
    assert seconds == len(passed) * FORWARD < tasks.DEADLINE_SECONDS


def test_the_whole_execution_is_its_longest_path() -> None:
    # Given the path on which every step succeeds at its last attempt and every undo is exhausted
    execution = time_budget.figures()["execution"]
    # Then
    assert execution["seconds"] == len(time_budget.FORWARD) * FORWARD + 4 * BACK
    assert execution["waiting_seconds"] == 2 * BANK


def test_the_execution_ends_long_before_aws_ends_it() -> None:
    execution = time_budget.figures()["execution"]
    assert execution["seconds"] + execution["waiting_seconds"] < time_budget.MOST_SECONDS / 2
    assert execution["events"] < time_budget.MOST_EVENTS / 10


_UNDO = tasks.COMPENSATION_RETRY


def test_an_outage_of_an_hour_parks_nothing() -> None:
    # Given full jitter, and attempts that fail at once
    retries = [definition()["States"][name]["Retry"][0] for name in (REFUND, RELEASE, RECORD, PARKED)]
    assert retries == [_UNDO] * 4
    # Then all but one of a hundred executions go on for a third longer, and the first of 20,000 outlasts it
    assert time_budget.sure_seconds(_UNDO, seed=7) > 3600 * 4 / 3
    assert time_budget.sure_seconds(_UNDO, 0.0, seed=8) > 3600


def test_fewer_retries_would_park_orders_in_an_outage_of_an_hour() -> None:
    # Given the most that the waits may be, which jitter shortens to half
    fewer = _UNDO | {"MaxAttempts": 20}
    assert sum(min(2.0**n, 300) for n in range(20)) > 3600
    # Then
    assert 1000 < time_budget.sure_seconds(fewer) < 1400
    assert 1700 < time_budget.sure_seconds(fewer, 0.5) < 2100


def test_without_jitter_every_execution_waits_the_same() -> None:
    waits = _UNDO | {"JitterStrategy": "NONE", "MaxAttempts": 3}
    assert time_budget.sure_seconds(waits) == 1 + 2 + 4


def test_a_forward_step_gives_up_when_a_short_outage_is_surely_over() -> None:
    # Given that nobody waits for long in front of a shop
    sure = time_budget.sure_seconds(tasks.FORWARD_RETRY)
    # Then what pages promise is what most executions do
    assert 15 < sure < 30
    assert time_budget.figures()["forward_sure_seconds"] == sure


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"Retry": []}, 10),
        ({"TimeoutSeconds": 20}, FORWARD + 9 * 10),
        ({"Retry": [tasks.FORWARD_RETRY, tasks.FORWARD_RETRY]}, 2 * FORWARD - 10),
        ({"Retry": [tasks.FORWARD_RETRY | {"MaxAttempts": 1}]}, 21),
    ],
)
def test_the_sum_follows_the_definition(change: dict[str, Any], seconds: float) -> None:
    state = definition()["States"][RESERVE] | change
    assert time_budget.worst_of_state(state).seconds == seconds
