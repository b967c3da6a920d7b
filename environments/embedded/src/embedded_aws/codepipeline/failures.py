"""What happens when a stage fails: nothing more, one retry, or a rollback to the last good execution.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry-auto.html
"""

from embedded_aws.codepipeline import conditions, executions
from embedded_aws.codepipeline.conditions import StageActions
from embedded_aws.core.api import Json


def handle(execution: Json, run: Json, act: StageActions) -> bool:
    """Deal with a failed stage by its `onFailure`; tell whether something was done."""
    on_failure = executions.stage_of(execution).get("onFailure") or {}
    if execution["type"] == "ROLLBACK":
        on_failure = {}  # a rollback that fails is for people
    if on_failure.get("result") == "RETRY" and not run["retry"].get("autoStageRetryAttempt"):
        mode = (on_failure.get("retryConfiguration") or {}).get("retryMode", "FAILED_ACTIONS")
        run["retry"] |= {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
        restart_stage(execution, run, mode, act)
        return True
    result = on_failure.get("result")
    if on_failure.get("conditions"):
        condition = conditions.result_of(execution, run, "onFailure", act)
        if condition is None:
            return False
        # A failure condition's result engages when they hold: "when the condition is met" (API_Condition).
        result = condition.result if condition.met else None
    if result == "ROLLBACK":
        roll_back(execution, run, act)
    else:
        _fail(execution, run, act)
    return True


def restart_stage(execution: Json, run: Json, mode: str, act: StageActions) -> None:
    """Begin a failed stage again, in the same execution.

    Args:
        execution: in the failed stage.
        run: of that stage.
        mode: ALL_ACTIONS from the first action on, FAILED_ACTIONS only what failed.
        act: reads how the actions went.
    """
    kept = {}
    if mode == "FAILED_ACTIONS" and not run.get("conditionFailure"):
        succeeded = {r["id"] for r in act.action_runs(execution, run) if r["status"] == "Succeeded"}
        kept = {name: identifier for name, identifier in run["actions"].items() if identifier in succeeded}
    entered = (
        "beforeEntry" not in run["conditions"] or run["conditions"]["beforeEntry"]["status"] == "Succeeded"
    )
    run["conditions"] = {
        name: state for name, state in run["conditions"].items() if name == "beforeEntry" and entered
    }
    run |= {"status": "InProgress", "phase": "actions" if entered else "before", "actions": kept}
    run["entered"] = act.entry_number()
    run.pop("conditionFailure", None)
    execution["status"] = "InProgress"
    execution.pop("statusSummary", None)


def roll_back(execution: Json, run: Json, act: StageActions) -> None:
    """Fail the stage and start a rollback to its last success, when there is one."""
    _fail(execution, run, act)
    stage = executions.stage_of(execution)["name"]
    target = _last_success(execution, stage, act)
    if target is None:
        execution["statusSummary"] += (
            " Nothing was rolled back: no earlier execution of this pipeline version succeeded here."
        )
        return
    act.keep(execution)  # it leaves the stage before the rollback enters
    detail = f"FailedPipelineExecutionId:{execution['id']}"
    act.start_rollback(target, execution, "AutomatedRollback", detail)


def _last_success(execution: Json, stage: str, act: StageActions) -> Json | None:
    """Return the newest other standard execution of the same pipeline version that succeeded in a stage."""
    good = [
        other
        for other in act.other_executions(execution)
        if other["type"] == "STANDARD"
        and other["pipelineVersion"] == execution["pipelineVersion"]
        and other["runs"].get(stage, {}).get("status") == "Succeeded"
    ]
    return max(good, key=lambda other: other["runs"][stage].get("ended", 0), default=None)


def _fail(execution: Json, run: Json, act: StageActions) -> None:
    """End an execution in its failed stage."""
    run |= {"status": "Failed", "ended": act.now()}
    execution |= {"status": "Failed", "statusSummary": _summary(execution, run, act)}


def _summary(execution: Json, run: Json, act: StageActions) -> str:
    failed = [action for action in act.action_runs(execution, run) if action["status"] == "Failed"]
    reasons = [
        f"{action['actionName']}: {action.get('error', {}).get('message', 'failed')}" for action in failed
    ]
    stage = executions.stage_of(execution)["name"]
    return f"Stage {stage} failed. " + "; ".join(reasons or [run.get("conditionFailure", "")])
