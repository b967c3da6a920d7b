"""The worst case of each state and of the whole execution, added up from the generated definition."""

from typing import Any

import pytest

from templates.definitions import tasks, time_budget
from templates.definitions.payment_workflow import (
    CHARGE,
    DELIVER,
    PARKED,
    RECORD,
    REFUND,
    RELEASE,
    RESERVE,
    definition,
)

FORWARD = 9 * 10 + (1 + 2 + 4 + 8 + 16 + 3 * 20)
"""Nine attempts of ten seconds, and the waits between them."""
BACK = 21 * 10 + (1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256 + 11 * 300)
BANK = 100 * 10 + sum(60 * 2**n for n in range(9)) + 91 * 6 * 3600


def test_each_state_takes_at_worst_its_attempts_and_waits() -> None:
    worst = time_budget.figures()["states"]
    assert {name: one["seconds"] for name, one in worst.items()} == {
        **dict.fromkeys((RESERVE, CHARGE, DELIVER), FORWARD),
        **dict.fromkeys((REFUND, RELEASE, RECORD, PARKED), BACK),
    }
    waiting = {name: one["waiting_seconds"] for name, one in worst.items() if one["waiting_seconds"]}
    assert waiting == {CHARGE: BANK, REFUND: BANK}


def test_forward_retries_all_end_before_the_deadline_that_refuses_them() -> None:
    assert time_budget.figures()["forward"]["seconds"] == 3 * FORWARD < tasks.DEADLINE_SECONDS


def test_the_whole_execution_is_its_longest_path() -> None:
    # Given the path on which every step succeeds at its last attempt and every undo is exhausted
    execution = time_budget.figures()["execution"]
    # Then
    assert execution["seconds"] == 3 * FORWARD + 4 * BACK
    assert execution["waiting_seconds"] == 2 * BANK


def test_the_execution_ends_long_before_aws_ends_it() -> None:
    execution = time_budget.figures()["execution"]
    assert execution["seconds"] + execution["waiting_seconds"] < time_budget.MOST_SECONDS / 2
    assert execution["events"] < time_budget.MOST_EVENTS / 10


def test_undoing_outlasts_an_outage_of_an_hour() -> None:
    assert time_budget.figures()["states"][REFUND]["seconds"] > 3600


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
