from __future__ import annotations

from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from payment_data import error_names, errors
from templates.definitions import tasks
from templates.definitions.payment_workflow import definition

Json = dict[str, Any]

FORWARD = ["Check order products are available", "Process order payment", "Arrange delivery"]
WAITING = ["Process order payment", "Refund payment"]
"""For a bank that takes days."""
BACK = ["Refund payment", "Release products", "Handle failure", "Needs attention"]


@pytest.fixture(scope="module")
def states() -> Json:
    found: Json = definition()["States"]
    return found


def catches(state: Json) -> list[tuple[list[str], str]]:
    return [(entry["ErrorEquals"], entry["Next"]) for entry in state.get("Catch", [])]


def evaluate(text: str, **variables: Any) -> Any:
    """Evaluate one field's JSONata with variables, as `states` and those that states assign."""
    assert text.startswith("{%")
    expression = Jsonata(text.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        expression.assign(name, value)
    # AWS's own function, which jsonata-python lacks.
    expression.register_lambda("parse", __import__("json").loads)
    return expression.evaluate(None)


def context(**execution: Any) -> Json:
    started = {"Id": "arn:e", "Name": "order-1", "StartTime": "2026-11-23T10:00:00.000Z", "Input": {}}
    return {"context": {"Execution": started | execution}}


def test_the_states_are_those_of_the_design(states: Json) -> None:
    ends = ["Is everything undone?", "Order placed", "Payment failed"]
    assert sorted(states) == sorted([*FORWARD, *BACK, *ends])
    assert definition()["StartAt"] == FORWARD[0]
    assert [states[name]["Next"] for name in FORWARD] == [*FORWARD[1:], "Order placed"]
    assert [states[name]["Next"] for name in BACK] == [
        "Release products",
        "Handle failure",
        "Is everything undone?",
        "Refund payment",
    ]
    assert states["Order placed"]["Type"] == "Succeed"
    assert states["Payment failed"]["Type"] == "Fail"


def test_every_task_has_its_time_out_and_the_execution_has_none(states: Json) -> None:
    assert {states[name]["TimeoutSeconds"] for name in [*FORWARD, *BACK]} == {10}
    assert "TimeoutSeconds" not in definition()


def test_what_a_step_refuses_goes_back_exactly_as_far_as_needed(states: Json) -> None:
    everything = ["States.ALL"]
    assert catches(states[FORWARD[0]]) == [
        (["OutOfStock", "InvalidOrder", "OrderNotFound"], "Handle failure"),
        (everything, "Release products"),
    ]
    assert catches(states[FORWARD[1]]) == [
        (["PaymentDeclined", "InvalidOrder"], "Release products"),
        (everything, "Refund payment"),
    ]
    assert catches(states[FORWARD[2]]) == [(everything, "Refund payment")]
    assert catches(states["Refund payment"]) == [
        (["OrderCompleted"], "Order placed"),
        (everything, "Release products"),
    ]
    assert catches(states["Release products"]) == [
        (["OrderCompleted"], "Order placed"),
        (everything, "Handle failure"),
    ]
    assert catches(states["Handle failure"]) == [(["PaymentNotUndone"], "Refund payment")]
    assert catches(states["Needs attention"]) == []


def test_every_name_that_a_catch_names_is_in_the_taxonomy(states: Json) -> None:
    named = {name for state in states.values() for names, _ in catches(state) for name in names}
    assert named - {"States.ALL"} <= set(errors.BY_NAME)


def test_every_task_retries_what_was_not_applied_or_is_unknown_and_nothing_else(states: Json) -> None:
    for name in [*FORWARD, *BACK]:
        retry, *waits = states[name]["Retry"]
        assert waits == ([tasks.PENDING_RETRY] if name in WAITING else [])
        assert sorted(retry["ErrorEquals"]) == sorted(
            [*error_names.NOT_APPLIED_ERRORS, *error_names.UNKNOWN_OUTCOME_ERRORS]
        ), name
        assert not set(retry["ErrorEquals"]) & {
            *error_names.BUSINESS_ERRORS,
            *error_names.CONTRACT_ERRORS,
        }
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] == (8 if name in FORWARD else 50)
        assert retry["MaxDelaySeconds"] == (20 if name in FORWARD else 300)


def longest_seconds(state: Json) -> float:
    """The longest that a task can take, retries and their longest delays included."""
    return _seconds(state["Retry"][0], state["TimeoutSeconds"])


def _seconds(retry: Json, attempt_seconds: float) -> float:
    delays = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
        for attempt in range(retry["MaxAttempts"])
    ]
    total: float = sum(delays) + attempt_seconds * (retry["MaxAttempts"] + 1)
    return total


def test_a_bank_has_more_than_fourteen_business_days_to_settle() -> None:
    # Given three weekends in them
    days = (14 + 3 * 2) * 86_400
    # Then paying waits for longer, and so does undoing
    assert tasks.PENDING_RETRY["ErrorEquals"] == list(error_names.PENDING_ERRORS)
    assert _seconds(tasks.PENDING_RETRY, 0) > days


def test_all_retries_of_all_forward_steps_end_before_the_deadline(states: Json) -> None:
    assert sum(longest_seconds(states[name]) for name in FORWARD) < tasks.DEADLINE_SECONDS


def test_the_deadline_is_counted_from_the_start_of_the_execution(states: Json) -> None:
    text = states[FORWARD[0]]["Arguments"]["Payload"]["deadline"]
    assert evaluate(text, states=context()) == "2026-11-23T10:15:00.000Z"


@pytest.mark.parametrize("name", FORWARD)
def test_forward_steps_get_order_execution_and_deadline_and_no_more(states: Json, name: str) -> None:
    # The last one ends the order, and measures how long that took, under which release.
    last = ["release", "started"] if name == FORWARD[-1] else []
    assert sorted(states[name]["Arguments"]["Payload"]) == ["deadline", "execution", "order_id", *last]


@pytest.mark.parametrize(
    ("given", "order_id"),
    [
        ({"order_id": "order-1"}, "order-1"),
        ({"order_id": {"$ne": None}}, {"$ne": None}),
        ({"order_id": 7}, 7),
        ({"order_id": ["a"]}, ["a"]),
        ({"order_id": None}, None),
        ({"order_id": ""}, ""),
        ({}, None),
        ([], None),
        ([{"order_id": "order-1"}], None),
        ("order-1", None),
        (5, None),
        (None, None),
    ],
)
def test_any_input_at_all_reaches_the_first_step(states: Json, given: Any, order_id: Any) -> None:
    # Given an execution with some input, sensible or not
    # When the first step's payload is computed
    text = states[FORWARD[0]]["Arguments"]["Payload"]["order_id"]
    # Then the step gets the order id as it is, or null
    assert evaluate(text, states=context(Input=given)) == order_id


@pytest.mark.parametrize("name", FORWARD)
def test_a_failure_is_remembered_with_its_step(states: Json, name: str) -> None:
    for entry in states[name]["Catch"]:
        failure = entry["Assign"]["failure"]
        assert failure["step"] == name
        assert (entry["Assign"]["compensated"], entry["Assign"]["undo_failures"]) == (True, {})
        output = {"errorOutput": {"Error": "OutOfStock", "Cause": "none left"}}
        assert evaluate(failure["error"], states=output) == "OutOfStock"
        assert evaluate(failure["cause"], states=output) == "none left"
        assert evaluate(failure["cause"], states={"errorOutput": {"Error": "States.Timeout"}}) == ""


@pytest.mark.parametrize("name", ["Refund payment", "Release products"])
def test_a_failed_undo_never_skips_the_others_and_is_remembered(states: Json, name: str) -> None:
    assign = states[name]["Catch"][-1]["Assign"]
    assert assign["compensated"] is False
    # Given another undo that failed before, and an error without a cause, or with a long one
    earlier = {"Earlier": {"error": "Throttled", "cause": "busy"}}
    for cause, kept in (({}, ""), ({"Cause": "x" * 5_000}, "x" * 4_000)):
        output = {"errorOutput": {"Error": "States.Timeout", **cause}}
        # When
        failures = evaluate(assign["undo_failures"], states=output, undo_failures=earlier)
        # Then both are known, each by its step
        assert failures == earlier | {name: {"error": "States.Timeout", "cause": kept}}
    assert states["Handle failure"]["Arguments"]["Payload"]["undo_failures"] == "{% $undo_failures %}"


def test_what_is_not_undone_is_parked(states: Json) -> None:
    choice = states["Is everything undone?"]
    assert choice["Choices"] == [{"Condition": "{% $compensated %}", "Next": "Payment failed"}]
    assert choice["Default"] == "Needs attention"


@pytest.mark.parametrize(("now", "parked"), [(None, 0), (0, 0), (3, 2)])
def test_a_parked_order_says_how_often_it_was_redriven(states: Json, now: int | None, parked: int) -> None:
    # Given an execution with a redrive count, or on its first try without one
    execution = context() if now is None else context(RedriveCount=now)
    payload = states["Needs attention"]["Arguments"]["Payload"]
    # Then record_failure can tell whether it was redriven since it was parked
    assert evaluate(payload["redrive_count"], states=execution) == (now or 0)
    assert evaluate(payload["parked_redrive_count"], parked_redrive_count=parked) == parked
    remembered = states["Handle failure"]["Assign"]["parked_redrive_count"]
    assert evaluate(remembered, states=execution) == (now or 0)


def test_a_redriven_order_is_undone_again_as_if_for_the_first_time(states: Json) -> None:
    assert states["Needs attention"]["Assign"] == {"compensated": True, "undo_failures": {}}
    assert states["Needs attention"]["Next"] == "Refund payment"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ('{"errorMessage": "none left", "errorType": "OutOfStock"}', "none left"),
        ('{"errorMessage": "a \\"quoted\\" word"}', 'a "quoted" word'),
        ("The cause could not be determined", "The cause could not be determined"),
        ("", ""),
        ('{"errorMessage": "cut' + "x" * 40_000, '{"errorMessage": "cut' + "x" * 40_000),
    ],
)
def test_the_execution_fails_with_the_first_error_and_its_message(
    states: Json, cause: str, said: str
) -> None:
    failure = {"step": FORWARD[0], "error": "OutOfStock", "cause": cause}
    assert evaluate(states["Payment failed"]["Error"], failure=failure) == "OutOfStock"
    assert evaluate(states["Payment failed"]["Cause"], failure=failure) == said


def test_the_definition_is_far_below_the_limit_of_a_megabyte() -> None:
    assert len(str(definition())) < 100_000
