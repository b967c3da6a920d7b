"""The release probe: places synthetic orders with the newest release and with the one before, and compares.

At five orders an hour a canary of a tenth gets none, so no customer's order can judge it. For an hour after
`live` moved, each run places orders with the version that it moved to and with older ones, side by side. Only
where every order of the newest fails and every order of an older one is completed, the release is worse: an
incident that has nothing to do with it fails both. One run is an express execution, of five minutes at most,
so it starts orders and asks what became of them instead of waiting for them as a job.
"""

from __future__ import annotations

from templates.definitions.smoke_workflow import TASK_SECONDS
from templates.definitions.tasks import EXECUTION, State, call_sdk, catch, choice, invoke, jsonata, put_point

METRIC = "ReleaseWorse"
LOOK = "Look where live leads"
YOUNG = "Did it move lately?"
VERSIONS = "Look at the versions before"
COMPARABLE = "Is there one before?"
EACH = "Place orders with each version"
TELL = "Tell whether the newest is worse"
NOTHING = "Nothing to compare"
CREATE = "Create synthetic data"
PLACE = "Place an order"
WAIT = "Give it time"
FOLLOW = "Look at the order"
ENDED = "Has it ended?"
STOP = "Stop it"
REMOVE = "Remove synthetic data"

SMOKE, WORKFLOW, ALIAS, NAMESPACE, SERVICE = (
    "SmokeVersion",
    "Workflow",
    "WorkflowAlias",
    "Namespace",
    "Service",
)
"""Substitutions: the smoke function, the payment workflow and its alias, and of the metric."""
YOUNG_SECONDS = 3600
"""Longer than a canary and its bake; an alias that leads to two versions is young however long that takes."""
ORDERS = 3
"""With each version: one failure may be anything."""
OLDER = 2
"""So many older versions are tried beside those that serve, since the ones before may be bad releases that
were taken back: what serves during a canary is good, and after it only the numbers tell."""
_POLL_SECONDS = 5
PATIENCE_SECONDS = 90
_NUMBER = "$number($split(StateMachineVersionArn, ':')[-1])"
_PASSED, _FAILED, _UNKNOWN = "passed", "failed", "unknown"


def definition() -> State:
    """Return the definition; the input is not read."""
    routes = "$states.result.RoutingConfiguration"
    moved = f"$millis() - $toMillis($states.result.UpdateDate) < {YOUNG_SECONDS * 1000}"
    lower = f"$states.result.StateMachineVersions.({_NUMBER})[$ < $newest]"
    latest = f"$filter($sort({lower}, function($a, $b) {{ $a < $b }}), function($v, $i) {{ $i < {OLDER} }})"
    return {
        "Comment": "Tells whether the newest release is worse than the one before",
        "QueryLanguage": "JSONata",
        "StartAt": LOOK,
        "States": {
            LOOK: call_sdk(
                "sfn:describeStateMachineAlias",
                {"StateMachineAliasArn": f"${{{ALIAS}}}"},
                Assign={
                    "newest": jsonata(f"$max({routes}.({_NUMBER}))"),
                    "young": jsonata(f"$count({routes}) > 1 or {moved}"),
                    "serving": jsonata(f"$append([], {routes}.({_NUMBER}))"),
                },
                Next=YOUNG,
            ),
            YOUNG: choice({"$young": VERSIONS}, NOTHING),
            VERSIONS: call_sdk(
                "sfn:listStateMachineVersions",
                {"StateMachineArn": f"${{{WORKFLOW}}}", "MaxResults": 100},
                Assign={
                    "older": jsonata(f"$append([], $distinct($append($serving[$ < $newest], {latest})))")
                },
                Next=COMPARABLE,
            ),
            COMPARABLE: choice({"$count($older) > 0": EACH}, NOTHING),
            EACH: {
                "Type": "Map",
                "Items": jsonata(
                    f"[$append([$newest], $older).($v := $; [1..{ORDERS}]"
                    ".{'version': $v, 'name': $string($v) & '-' & $string($)})]"
                ),
                "ItemProcessor": {"StartAt": CREATE, "States": _order()},
                "Assign": {"worse": jsonata(_worse("$states.result"))},
                "Next": TELL,
            },
            TELL: _tell(),
            NOTHING: {"Type": "Succeed"},
        },
    }


def _worse(results: str) -> str:
    every = f"function($v, $as) {{ $count({results}[version = $v and result = $as]) = {ORDERS} }}"
    return (
        f"(($every := {every}; $every($newest, '{_FAILED}')"
        f" and $count($filter($older, function($v) {{ $every($v, '{_PASSED}') }})) > 0) ? 1 : 0)"
    )


def _tell() -> State:
    output = {"worse": jsonata("$worse"), "results": jsonata("$states.input")}
    return put_point(METRIC, "$worse", namespace=NAMESPACE, service=SERVICE, Output=output, End=True)


def _order() -> dict[str, State]:
    """Return the states that place one order of {version, name}, say how it ended, and always remove it."""
    unknown = [catch(["States.ALL"], REMOVE, {"result": _UNKNOWN})]
    running = f"$states.result.Status = 'RUNNING' and $millis() - $began < {PATIENCE_SECONDS * 1000}"
    return {
        CREATE: _smoke(
            "create",
            Assign={
                "order": jsonata("$states.result.Payload.orders.happy"),
                "version": jsonata("$states.input.version"),
                "name": jsonata("$states.input.name"),
                "began": jsonata("$millis()"),
            },
            Catch=[
                catch(
                    ["States.ALL"],
                    REMOVE,
                    {
                        "result": _UNKNOWN,
                        "version": jsonata("$states.input.version"),
                        "name": jsonata("$states.input.name"),
                    },
                )
            ],
            Next=PLACE,
        ),
        PLACE: call_sdk(
            "sfn:startExecution",
            {
                "StateMachineArn": jsonata(f"'${{{WORKFLOW}}}:' & $string($version)"),
                "Name": jsonata("$order"),
                "Input": {"order_id": jsonata("$order")},
            },
            Assign={"execution": jsonata("$states.result.ExecutionArn")},
            Catch=unknown,
            Next=WAIT,
        ),
        WAIT: {"Type": "Wait", "Seconds": _POLL_SECONDS, "Next": FOLLOW},
        FOLLOW: call_sdk(
            "sfn:describeExecution",
            {"ExecutionArn": jsonata("$execution")},
            Assign={
                "running": jsonata(running),
                "left": jsonata("$states.result.Status = 'RUNNING'"),
                "result": jsonata(f"$states.result.Status = 'SUCCEEDED' ? '{_PASSED}' : '{_FAILED}'"),
            },
            Catch=unknown,
            Next=ENDED,
        ),
        ENDED: choice({"$running": WAIT, "$left": STOP}, REMOVE),
        STOP: call_sdk(
            "sfn:stopExecution",
            {"ExecutionArn": jsonata("$execution")},
            Catch=[catch(["States.ALL"], REMOVE)],
            Next=REMOVE,
        ),
        REMOVE: _smoke("remove", End=True, Catch=[catch(["States.ALL"], "Left behind")])
        | {"Output": _result()},
        "Left behind": {"Type": "Pass", "Output": _result(), "End": True},
    }


def _result() -> State:
    return {"version": jsonata("$version"), "result": jsonata("$result")}


def _smoke(action: str, **fields: object) -> State:
    """Return a call of the smoke function for one order, whose run the execution and `name` tell."""
    name = "$states.input.name" if action == "create" else "$name"
    payload = {"action": action, "run": jsonata(f"{EXECUTION}.Name & '-' & {name}")}
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 1}
    return invoke(SMOKE, payload, seconds=TASK_SECONDS, Retry=[retry], **fields)
