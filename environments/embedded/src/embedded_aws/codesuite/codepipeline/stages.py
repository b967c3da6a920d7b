"""The rules by which an execution enters, goes through and leaves its stages.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

import time
from collections.abc import Callable
from itertools import groupby

from embedded_aws.codesuite import clock, runtime
from embedded_aws.codesuite.codepipeline import action_runs, conditions, executions, failures, starting
from embedded_aws.codesuite.scope import Json


def step(execution: Json) -> bool:
    """Do the next thing that can be done at once; tell whether there was one."""
    run = executions.run_of(execution)
    if execution["status"] == "Stopping":
        if _busy(execution, run):
            return False
        run["status"] = None if run["phase"] == "waiting" else "Stopped"
        execution["status"] = "Stopped"
        return True
    return _PHASES[run["phase"]](execution, run)


def _waiting(execution: Json, run: Json) -> bool:
    if not may_enter(execution):
        return False
    run |= {"status": "InProgress", "phase": "before", "entered": time.time_ns()}
    return True


def may_enter(execution: Json) -> bool:
    """Tell whether a waiting execution may enter its stage, and supersede those that it overtakes.

    A stage holds one execution at a time, a parallel pipeline's any number. Of those that wait, in SUPERSEDED
    mode the newest goes and the others are superseded, in QUEUED mode the oldest goes.
    """
    stage = executions.stage_of(execution)["name"]
    if execution["mode"] == "PARALLEL":
        return not _closed(execution, stage)
    others = [
        other
        for other in executions.of_pipeline(executions.scope_of(execution), execution["pipelineName"])
        if other["id"] != execution["id"] and other["status"] in executions.UNFINISHED
    ]
    waiting = [o for o in others if executions.waits(o) and executions.stage_of(o)["name"] == stage]
    if execution["mode"] == "SUPERSEDED":
        for other in waiting:
            if other["order"] < execution["order"] and other["type"] == "STANDARD":
                _supersede(other, execution)
    older = [o for o in waiting if o["order"] < execution["order"]] if execution["mode"] == "QUEUED" else []
    held = any(executions.occupies(other, stage) for other in others)
    rollback = execution["type"] == "ROLLBACK"  # mends the stage before anybody else enters it
    return not held and (rollback or not (older or _closed(execution, stage)))


def latest(found: list[Json], stage: str) -> Json | None:
    """Choose the execution that was last in a stage."""
    return next(iter(entered(found, stage)), None)


def entered(found: list[Json], stage: str) -> list[Json]:
    """Choose the executions that were ever in a stage, the last one first."""
    there = [execution for execution in found if execution["runs"].get(stage, {}).get("entered")]
    return sorted(there, key=lambda execution: execution["runs"][stage]["entered"], reverse=True)


def _supersede(older: Json, newer: Json) -> None:
    older |= {"status": "Superseded", "supersededBy": newer["id"]}
    executions.keep(older)


def _closed(execution: Json, stage: str) -> bool:
    scope = executions.scope_of(execution)
    record = (
        runtime.current().store.get("pipeline", scope.account, scope.region, execution["pipelineName"]) or {}
    )
    transition = record.get("transitions", {}).get(stage, {"enabled": True})
    return not transition["enabled"]


def _before(execution: Json, run: Json) -> bool:
    verdict = conditions.verdict(execution, run, "beforeEntry")
    if verdict is None:
        return False
    if verdict.met:
        run["phase"] = "actions"
    elif verdict.result == "SKIP":
        run |= {"status": "Skipped", "phase": "done"}
    else:
        # The stage's actions never ran, so there is nothing that its failure conditions could undo.
        run["status"] = "Failed"
        execution |= {"status": "Failed", "statusSummary": verdict.summary}
    return True


def _actions(execution: Json, run: Json) -> bool:
    """Start what can start: groups of the same run order, one after the other, each in parallel."""
    stage = executions.stage_of(execution)
    ordered = sorted(stage["actions"], key=lambda action: action["runOrder"])
    for _, group in groupby(ordered, key=lambda action: action["runOrder"]):
        statuses = [_status(execution, run, stage["name"], action) for action in group]
        if "InProgress" in statuses:
            return False
        if any(status != "Succeeded" for status in statuses):
            run["phase"] = "failure"
            return True
    run["phase"] = "success"
    return True


def _status(execution: Json, run: Json, stage: str, action: Json) -> str:
    known = run["actions"].get(action["name"])
    if known is None:
        record = starting.start(execution, stage, action)
        run["actions"][action["name"]] = record["id"]
        return "InProgress"
    return str(action_runs.find(execution, known)["status"])


def _success(execution: Json, run: Json) -> bool:
    verdict = conditions.verdict(execution, run, "onSuccess")
    if verdict is None:
        return False
    if verdict.met:
        run |= {"status": "Succeeded", "phase": "done"}
    elif verdict.result == "ROLLBACK":
        failures.roll_back(execution, run)
    else:
        run |= {"phase": "failure", "conditionFailure": verdict.summary}
    return True


def _failure(execution: Json, run: Json) -> bool:
    return failures.handle(execution, run)


def _done(execution: Json, run: Json) -> bool:
    run["ended"] = clock.now()
    last = execution["stage"] + 1 == len(execution["declaration"]["stages"])
    if last or execution["type"] == "ROLLBACK":  # a rollback runs its one stage
        execution["status"] = "Succeeded"
    else:
        execution["stage"] += 1
        executions.run_of(execution)["since"] = clock.now()
    return True


_PHASES: dict[str, Callable[[Json, Json], bool]] = {
    "waiting": _waiting,
    "before": _before,
    "actions": _actions,
    "success": _success,
    "failure": _failure,
    "done": _done,
}


def _busy(execution: Json, run: Json) -> bool:
    if any(state["status"] == "InProgress" for state in run["conditions"].values()):
        return True
    found = [action_runs.find(execution, identifier) for identifier in run["actions"].values()]
    return any(action["status"] == "InProgress" for action in found)
