"""The executor's semantics are Step Functions', not the workflow's: small definitions, scripted tasks."""

import datetime
from typing import Any

import pytest

from tests.crash_matrix.clock import Clock
from tests.crash_matrix.executor import Endless, Execution, Outcome, TaskFailed, matches

START = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def execution(states: dict[str, Any], *answers: Any) -> Execution:
    """Start at `one`; each task answers with the next of `answers`, raising it if it is an error."""
    script = iter(answers)

    def invoke(state: str, arguments: dict[str, Any]) -> Any:
        answer = next(script)
        if isinstance(answer, TaskFailed):
            raise answer
        return answer or {"state": state, "arguments": arguments}

    return Execution({"StartAt": "one", "States": states}, "order-1", invoke, Clock(START))


def task(following: str = "end", **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Arguments": "{% $states.input %}", "Next": following, **fields}


END = {"Type": "Succeed"}


@pytest.mark.parametrize(
    ("names", "error", "matched"),
    [
        (["OutOfStock"], "OutOfStock", True),
        (["OutOfStock"], "outofstock", False),
        (["States.ALL"], "OutOfStock", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.ALL"], "States.Runtime", False),
        (["States.TaskFailed"], "OutOfStock", True),
        (["States.TaskFailed"], "States.Timeout", False),
    ],
)
def test_error_names_match_as_documented(names: list[str], error: str, matched: bool) -> None:
    assert matches(names, error) is matched


def test_retries_back_off_up_to_their_limit_and_then_the_error_is_caught() -> None:
    # Given a task that retries a time-out three times and catches everything
    retry = {"ErrorEquals": ["Slow"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 10}
    catch = {"ErrorEquals": ["States.ALL"], "Next": "end", "Output": "{% $states.errorOutput.Error %}"}
    run = execution(
        {"one": task(Retry=[{**retry, "MaxAttempts": 3}], Catch=[catch]), "end": END},
        *[TaskFailed("Slow")] * 4,
    )
    # When it never succeeds
    outcome = run.start({})
    # Then it was tried four times, 2 + 6 + 10 virtual seconds apart, and the catch's output went on
    assert [attempt.error for attempt in run.attempts] == ["Slow"] * 4
    assert run.clock.now() - START == datetime.timedelta(seconds=18)
    assert outcome == Outcome(succeeded=True, state="end", output="Slow")


def test_an_error_that_no_retrier_names_is_not_retried() -> None:
    # Given a task that retries another error
    run = execution({"one": task(Retry=[{"ErrorEquals": ["Slow"]}]), "end": END}, TaskFailed("No", "never"))
    # When it fails
    outcome = run.start({})
    # Then the execution failed at once, in that state
    assert outcome == Outcome(succeeded=False, state="one", error="No", cause="never")


def test_a_task_that_times_out_takes_its_time() -> None:
    # Given a task with a time-out
    run = execution({"one": task(TimeoutSeconds=10), "end": END}, TaskFailed("States.Timeout"))
    # When it times out
    run.start({})
    # Then so much time has passed
    assert run.clock.now() - START == datetime.timedelta(seconds=10)


def test_output_and_assign_are_evaluated_side_by_side() -> None:
    # Given a task that assigns a variable and outputs its old value
    states = {
        "one": {"Type": "Pass", "Assign": {"x": 1}, "Next": "two"},
        "two": task(Assign={"x": 2}, Output="{% $x %}"),
        "end": {"Type": "Succeed", "Output": "{% [$states.input, $x] %}"},
    }
    # When it runs; Then the output has the old value, and the next state sees the new one
    assert execution(states, {}).start({}).output == [1, 2]


def test_a_choice_takes_the_first_rule_that_is_true() -> None:
    # Given a choice on a variable
    rules = [{"Condition": "{% $x = 1 %}", "Next": "a"}, {"Condition": "{% true %}", "Next": "b"}]
    states = {
        "one": {"Type": "Pass", "Assign": {"x": 2}, "Next": "two"},
        "two": {"Type": "Choice", "Choices": rules, "Default": "a"},
        "a": END,
        "b": END,
    }
    # When it runs; Then the second rule decided
    assert execution(states).start({}).state == "b"


def test_an_expression_without_a_value_fails_the_state() -> None:
    # Given arguments that name what the input lacks, and an explicit null, which is a value
    states = {"one": task(Arguments={"a": "{% null %}", "b": "{% $states.input.none %}"}), "end": END}
    # When it runs; Then Step Functions' error for it ends the execution
    outcome = execution(states, {}).start({})
    assert (outcome.error, "none" in outcome.cause) == ("States.QueryEvaluationError", True)


def test_a_redrive_runs_the_failed_state_again_with_its_input_variables_and_retries() -> None:
    # Given an execution that failed in its second task after one retry
    states = {
        "one": task("two", Assign={"x": 7}, Output={"from": "one"}),
        "two": task(
            Arguments={"in": "{% $states.input %}", "x": "{% $x %}", "n": _REDRIVES},
            Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
            Output="{% $states.result.arguments %}",
        ),
        "end": END,
    }
    run = execution(states, {}, TaskFailed("A"), TaskFailed("A"), TaskFailed("A"), None)
    assert run.start({}).state == "two"
    # When it is redriven, fails once more and then succeeds
    outcome = run.redrive()
    # Then it went on where it was, with its retries anew, and knows that it was redriven
    assert outcome.output == {"in": {"from": "one"}, "x": 7, "n": 1}
    assert [(a.state, a.drive) for a in run.attempts] == [
        ("one", 0),
        ("two", 0),
        ("two", 0),
        ("two", 1),
        ("two", 1),
    ]


_REDRIVES = "{% $states.context.Execution.RedriveCount %}"


def test_a_definition_that_goes_round_in_circles_is_told() -> None:
    # Given two states that lead to each other; When it runs; Then it is stopped
    states = {"one": {"Type": "Pass", "Next": "two"}, "two": {"Type": "Pass", "Next": "one"}}
    with pytest.raises(Endless):
        execution(states).start({})
