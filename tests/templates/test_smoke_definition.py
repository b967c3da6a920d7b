from __future__ import annotations

import json
from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from templates.definitions.smoke_workflow import definition

Json = dict[str, Any]

PLACES = {
    "happy": "Place an order",
    "out_of_stock": "Place an order that is out of stock",
    "declined": "Place an order that the account cannot pay",
    "duplicate": "Place the first order again",
}


@pytest.fixture(scope="module")
def states() -> Json:
    found: Json = definition()["States"]
    return found


def evaluate(text: str, **variables: Any) -> Any:
    expression = Jsonata(text.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        expression.assign(name, value)
    expression.register_lambda("parse", json.loads)
    return expression.evaluate(None)


def test_it_plays_every_scenario_in_order_and_then_looks(states: Json) -> None:
    path = ["Create synthetic data"]
    while states[path[-1]].get("Next"):
        path.append(states[path[-1]]["Next"])
    assert path == [
        "Create synthetic data",
        *PLACES.values(),
        "Verify",
        "Remove synthetic data",
        "Did every check pass?",
    ]


def test_orders_are_placed_through_the_live_alias_under_their_own_name(states: Json) -> None:
    for scenario, place in PLACES.items():
        order = "{% $orders.happy %}" if scenario == "duplicate" else f"{{% $orders.{scenario} %}}"
        assert states[place]["Resource"] == "arn:${Partition}:states:::states:startExecution.sync:2"
        assert states[place]["Arguments"] == {
            "StateMachineArn": "${WorkflowAlias}",
            "Name": order,
            "Input": {"order_id": order},
        }


def test_whatever_goes_wrong_the_data_is_removed(states: Json) -> None:
    assert [entry["Next"] for entry in states["Create synthetic data"]["Catch"]] == ["Remove synthetic data"]
    assert [entry["Next"] for entry in states["Verify"]["Catch"]] == ["Remove synthetic data"]
    for place in PLACES.values():
        assert states[place]["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
        assert {entry["Next"] for entry in states[place]["Catch"]} == {states[place]["Next"]}


CHILD = json.dumps({"Error": "OutOfStock", "Cause": "{}", "Status": "FAILED"})


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ({"Error": "States.TaskFailed", "Cause": CHILD}, "OutOfStock"),
        ({"Error": "States.Permissions", "Cause": "may not"}, "States.Permissions"),
        ({"Error": "States.Timeout"}, "States.Timeout"),
    ],
)
def test_a_failed_order_is_remembered_by_its_own_error(states: Json, output: Json, error: str) -> None:
    # Given what happened so far
    assign = states[PLACES["out_of_stock"]]["Catch"][-1]["Assign"]["outcomes"]
    so_far = {"happy": {"status": "SUCCEEDED"}}
    # When an order's execution fails
    after = evaluate(assign, outcomes=so_far, states={"errorOutput": output})
    # Then its error is added
    assert after == so_far | {"out_of_stock": {"status": "FAILED", "error": error}}


def test_the_first_order_placed_again_is_refused(states: Json) -> None:
    # Given that Step Functions knows the execution's name
    refused = states[PLACES["duplicate"]]["Catch"][0]
    assert refused["ErrorEquals"] == ["StepFunctions.ExecutionAlreadyExistsException"]
    # Then that is remembered as a refusal, not as a failed order
    assert evaluate(refused["Assign"]["outcomes"], outcomes={}) == {"duplicate": {"status": "REFUSED"}}


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ({"run": "r1"}, "r1"),
        ({}, "named"),
        ({"run": 5}, "named"),
        ("text", "named"),
        ([{"run": "r1"}], "named"),
    ],
)
def test_the_run_is_the_inputs_or_the_executions_name(states: Json, given: Any, run: str) -> None:
    text = states["Create synthetic data"]["Arguments"]["Payload"]["run"]
    execution = {"context": {"Execution": {"Input": given, "Name": "named"}}}
    assert evaluate(text, states=execution) == run


@pytest.mark.parametrize(
    ("checks", "passes"),
    [
        ([{"name": "a", "ok": True}, {"name": "b", "ok": True}], True),
        ([{"name": "a", "ok": True}], True),
        ([{"name": "a", "ok": True}, {"name": "b", "ok": False}], False),
        ([{"name": "a", "ok": False}], False),
        ([], False),
    ],
)
def test_it_passes_when_every_check_passed_and_there_was_one(
    states: Json, checks: list[Json], passes: bool
) -> None:
    condition = states["Did every check pass?"]["Choices"][0]["Condition"]
    assert evaluate(condition, checks=checks) is passes


def test_it_says_run_and_checks_however_it_ends(states: Json) -> None:
    execution = {"context": {"Execution": {"Input": {"run": "r1"}, "Name": "named"}}}
    report = {"run": "r1", "checks": [{"name": "a", "ok": False}]}
    assert evaluate(states["Smoke passed"]["Output"], states=execution, checks=report["checks"]) == report
    cause = evaluate(states["Smoke failed"]["Cause"], states=execution, checks=report["checks"])
    assert json.loads(cause) == report
    assert states["Smoke failed"]["Error"] == "SmokeFailed"


def test_the_function_ends_before_its_task(payments: Json) -> None:
    seconds = payments["Resources"]["SmokeFunction"]["Properties"]["Timeout"]
    called = ("Create synthetic data", "Verify", "Remove synthetic data")
    found = definition()["States"]
    assert {found[name]["TimeoutSeconds"] > seconds for name in called} == {True}
