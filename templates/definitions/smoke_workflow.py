"""The smoke workflow: proves a deployment by placing synthetic orders through the `live` alias.

It makes its own products, users and orders, places one order that succeeds, one that is out of stock, one
that the account cannot pay and the first one again, asks the data API what happened to stock, money,
deliveries and history, and always removes what it made. Nobody else's data is touched.
"""

from __future__ import annotations

from templates.definitions.tasks import EXECUTION, FORWARD_RETRY, State, catch, choice, invoke, jsonata

CREATE = "Create synthetic data"
VERIFY = "Verify"
REMOVE = "Remove synthetic data"
JUDGE = "Did every check pass?"
PASSED = "Smoke passed"
FAILED = "Smoke failed"

FUNCTION_SECONDS = 50
"""The smoke function's time-out: many requests in a row, each with the usual 4 s."""
TASK_SECONDS = 60
ORDER_SECONDS = 120
"""An order that takes longer than this is a failed check, not a reason to wait on: twice what is promised. So
a run that is started every five minutes tells within fifteen that no order ends."""

SCENARIOS = {
    "happy": "Place an order",
    "out_of_stock": "Place an order that is out of stock",
    "declined": "Place an order that the account cannot pay",
    "duplicate": "Place the first order again",
}
"""Scenario to the state that plays it, in order."""

# What Step Functions answers to the name of an execution that has ended.
_REFUSED = "StepFunctions.ExecutionAlreadyExistsException"
_INPUT = f"{EXECUTION}.Input"
_RUN = (
    f"$type({_INPUT}) = 'object' and $type($lookup({_INPUT}, 'run')) = 'string'"
    f" ? $lookup({_INPUT}, 'run') : {EXECUTION}.Name"
)
# startExecution.sync:2 fails with the child's description, as JSON text, for a cause.
_CHILD_ERROR = (
    "$states.errorOutput.Error = 'States.TaskFailed' and $exists($states.errorOutput.Cause)"
    " ? $parse($states.errorOutput.Cause).Error : $states.errorOutput.Error"
)


def definition() -> State:
    """Return the smoke workflow's definition; `${WorkflowAlias}` is what it tries."""
    places = list(SCENARIOS.values())
    steps = zip(SCENARIOS.items(), [*places[1:], VERIFY], strict=True)
    return {
        "Comment": "Proves a deployment with synthetic orders, and removes them",
        "QueryLanguage": "JSONata",
        "StartAt": CREATE,
        "States": {
            CREATE: _create(places[0]),
            **{place: _place(scenario, following) for (scenario, place), following in steps},
            VERIFY: _verify(),
            REMOVE: _remove(),
            **_ends(),
        },
    }


def _create(following: str) -> State:
    return _call(
        "create",
        {},
        Assign={"orders": jsonata("$states.result.Payload.orders"), "outcomes": {}, "checks": []},
        Catch=[_broken("create", REMOVE)],
        Next=following,
    )


def _verify() -> State:
    return _call(
        "verify",
        {"outcomes": jsonata("$outcomes")},
        Assign={"checks": jsonata("$states.result.Payload.checks")},
        Catch=[_broken("verify", REMOVE)],
        Next=REMOVE,
    )


def _remove() -> State:
    left_behind = {
        "checks": jsonata(
            "$append($checks, {'name': 'remove', 'ok': false, 'detail': $states.errorOutput.Error})"
        )
    }
    return _call("remove", {}, Catch=[catch(["States.ALL"], JUDGE, left_behind)], Next=JUDGE)


def _call(action: str, payload: State, **fields: object) -> State:
    payload = {"action": action, "run": jsonata(_RUN)} | payload
    return invoke("SmokeVersion", payload, seconds=TASK_SECONDS, Retry=[FORWARD_RETRY], **fields)


def _place(scenario: str, following: str) -> State:
    order = jsonata(f"$orders.{'happy' if scenario == 'duplicate' else scenario}")
    failed = _outcome(scenario, f"{{'status': 'FAILED', 'error': {_CHILD_ERROR}}}")
    return {
        "Type": "Task",
        "Resource": "arn:${Partition}:states:::states:startExecution.sync:2",
        "Arguments": {
            "StateMachineArn": "${WorkflowAlias}",
            "Name": order,
            "Input": {"order_id": order},
        },
        "TimeoutSeconds": ORDER_SECONDS,
        "Assign": _outcome(scenario, "{'status': 'SUCCEEDED'}"),
        "Catch": [
            catch([_REFUSED], following, _outcome(scenario, "{'status': 'REFUSED'}")),
            catch(["States.ALL"], following, failed),
        ],
        "Next": following,
    }


def _outcome(scenario: str, outcome: str) -> State:
    return {"outcomes": jsonata(f"$merge([$outcomes, {{'{scenario}': {outcome}}}])")}


def _broken(check: str, goto: str) -> State:
    failed = [{"name": check, "ok": False, "detail": jsonata("$states.errorOutput.Error")}]
    return catch(["States.ALL"], goto, {"checks": failed})


def _ends() -> dict[str, State]:
    report = f"{{'run': {_RUN}, 'checks': $checks}}"
    passed = "$count($checks) > 0 and $count($filter($checks, function($c) { $not($c.ok) })) = 0"
    return {
        JUDGE: choice({passed: PASSED}, FAILED),
        PASSED: {"Type": "Succeed", "Output": jsonata(report)},
        FAILED: {"Type": "Fail", "Error": "SmokeFailed", "Cause": jsonata(f"$string({report})")},
    }
