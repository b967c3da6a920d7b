"""The rules by which an execution enters, goes through and leaves its stages: pure over `StageActions`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from collections.abc import Callable
from itertools import groupby

from embedded_aws.codepipeline import conditions, executions
from embedded_aws.codepipeline.conditions import StageActions
from embedded_aws.codepipeline.records import Execution, StageRun
from embedded_aws.core.api import Json


def step(execution: Execution, act: StageActions) -> bool:
    """Do the next thing that can be done at once; tell whether there was one."""
    run = executions.run_of(execution)
    if execution["status"] == "Stopping":
        if _busy(execution, run, act):
            return False
        run["status"] = None if run["phase"] == "waiting" else "Stopped"
        execution["status"] = "Stopped"
        return True
    return _PHASES[run["phase"]](execution, run, act)


def entered(candidates: list[Execution], stage: str) -> list[Execution]:
    """Choose the `candidates` that were ever in a stage, the last one first."""
    runs = [(execution["runs"].get(stage), execution) for execution in candidates]
    inside = [(run.get("entered", 0), execution) for run, execution in runs if run]
    in_turn = sorted((entry for entry in inside if entry[0]), key=lambda entry: entry[0], reverse=True)
    return [execution for _, execution in in_turn]


def latest(candidates: list[Execution], stage: str) -> Execution | None:
    """Choose the one of the `candidates` that was last in a stage."""
    return next(iter(entered(candidates, stage)), None)


def _waiting(execution: Execution, run: StageRun, act: StageActions) -> bool:
    if not _may_enter(execution, act):
        return False
    run |= {"status": "InProgress", "phase": "before", "entered": act.entry_number()}
    return True


def _may_enter(execution: Execution, act: StageActions) -> bool:
    """Tell whether a waiting execution may enter its stage, and supersede those that it overtakes.

    A stage holds one execution at a time, a parallel pipeline's any number. Of those that wait, in SUPERSEDED
    mode the newest goes and the others are superseded, in QUEUED mode the oldest goes.
    """
    stage = executions.stage_of(execution)["name"]
    if execution["mode"] == "PARALLEL":
        return act.transition_enabled(execution, stage)
    others = [o for o in act.other_executions(execution) if o["status"] in executions.UNFINISHED]
    waiting = [o for o in others if executions.waits(o) and executions.stage_of(o)["name"] == stage]
    if execution["mode"] == "SUPERSEDED":
        for other in waiting:
            if other["order"] < execution["order"] and other["type"] == "STANDARD":
                other |= {"status": "Superseded", "supersededBy": execution["id"]}
                act.keep(other)
    older = [o for o in waiting if o["order"] < execution["order"]] if execution["mode"] == "QUEUED" else []
    held = any(executions.occupies(other, stage) for other in others)
    rollback = execution["type"] == "ROLLBACK"  # repairs the stage before anybody else enters it
    return not held and (rollback or (not older and act.transition_enabled(execution, stage)))


def _before(execution: Execution, run: StageRun, act: StageActions) -> bool:
    condition = conditions.result_of(execution, run, "beforeEntry", act)
    if condition is None:
        return False
    if condition.met:
        run["phase"] = "actions"
    elif condition.result == "SKIP":
        run |= {"status": "Skipped", "phase": "done"}
    else:
        # The stage's actions never ran, so there is nothing that its failure conditions could undo.
        run["status"] = "Failed"
        execution |= {"status": "Failed", "statusSummary": condition.summary}
    return True


def _actions(execution: Execution, run: StageRun, act: StageActions) -> bool:
    """Start what can start: groups of the same run order, one after the other, each in parallel."""
    stage = executions.stage_of(execution)
    statuses = {each["id"]: str(each["status"]) for each in act.action_runs(execution, run)}
    ordered = sorted(stage["actions"], key=lambda action: action["runOrder"])
    for _, group in groupby(ordered, key=lambda action: action["runOrder"]):
        in_group = [_status(execution, run, action, statuses, act) for action in group]
        if "InProgress" in in_group:
            return False
        if any(status != "Succeeded" for status in in_group):
            run["phase"] = "failure"
            return True
    run["phase"] = "success"
    return True


def _status(
    execution: Execution, run: StageRun, action: Json, statuses: dict[str, str], act: StageActions
) -> str:
    identifier = run["actions"].get(action["name"])
    if identifier is None:
        stage = executions.stage_of(execution)["name"]
        run["actions"][action["name"]] = act.start_action(execution, stage, action)
        return "InProgress"
    return statuses[identifier]


def _success(execution: Execution, run: StageRun, act: StageActions) -> bool:
    condition = conditions.result_of(execution, run, "onSuccess", act)
    if condition is None:
        return False
    if condition.met:
        run |= {"status": "Succeeded", "phase": "done"}
    elif condition.result == "ROLLBACK" and execution["type"] == "STANDARD":
        conditions.roll_back(execution, run, act)
    else:
        run |= {"phase": "failure", "conditionFailure": condition.summary}
    return True


def _done(execution: Execution, run: StageRun, act: StageActions) -> bool:
    run["ended"] = act.now()
    last = execution["stage"] + 1 == len(execution["declaration"]["stages"])
    if last or execution["type"] == "ROLLBACK":  # a rollback runs its one stage
        execution["status"] = "Succeeded"
    else:
        execution["stage"] += 1
        executions.run_of(execution)["since"] = act.now()
    return True


_PHASES: dict[str, Callable[[Execution, StageRun, StageActions], bool]] = {
    "waiting": _waiting,
    "before": _before,
    "actions": _actions,
    "success": _success,
    "failure": conditions.handle,
    "done": _done,
}


def _busy(execution: Execution, run: StageRun, act: StageActions) -> bool:
    if any(state["status"] == "InProgress" for state in run["conditions"].values()):
        return True
    return any(action["status"] == "InProgress" for action in act.action_runs(execution, run))
