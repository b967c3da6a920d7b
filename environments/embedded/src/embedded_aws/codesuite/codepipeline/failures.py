"""What happens when a stage fails: nothing more, one retry, or a rollback to the last good execution.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry-auto.html
"""

import time

from embedded_aws.codesuite import clock
from embedded_aws.codesuite.codepipeline import action_runs, conditions, executions
from embedded_aws.codesuite.scope import Json


def handle(execution: Json, run: Json) -> bool:
    """Deal with a failed stage by its `onFailure`; tell whether something was done."""
    wanted = executions.stage_of(execution).get("onFailure") or {}
    if execution["type"] == "ROLLBACK":
        wanted = {}  # a rollback that fails is for people
    if wanted.get("result") == "RETRY" and not run["retry"].get("autoStageRetryAttempt"):
        mode = (wanted.get("retryConfiguration") or {}).get("retryMode", "FAILED_ACTIONS")
        run["retry"] |= {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
        again(execution, run, mode)
        return True
    result = wanted.get("result")
    if wanted.get("conditions"):
        verdict = conditions.verdict(execution, run, "onFailure")
        if verdict is None:
            return False
        # A failure condition's result engages when they hold: "when the condition is met" (API_Condition).
        result = verdict.result if verdict.met else None
    if result == "ROLLBACK":
        roll_back(execution, run)
    else:
        fail(execution, run)
    return True


def fail(execution: Json, run: Json) -> None:
    """End an execution in its failed stage."""
    run |= {"status": "Failed", "ended": clock.now()}
    execution |= {"status": "Failed", "statusSummary": _summary(execution, run)}


def again(execution: Json, run: Json, mode: str) -> None:
    """Begin a failed stage again, in the same execution.

    Args:
        execution: in the failed stage.
        run: of that stage.
        mode: ALL_ACTIONS from the first action on, FAILED_ACTIONS only what failed.
    """
    kept = {}
    if mode == "FAILED_ACTIONS" and not run.get("conditionFailure"):
        kept = {
            name: identifier
            for name, identifier in run["actions"].items()
            if action_runs.find(execution, identifier)["status"] == "Succeeded"
        }
    entered = (
        "beforeEntry" not in run["conditions"] or run["conditions"]["beforeEntry"]["status"] == "Succeeded"
    )
    run["conditions"] = {
        name: state for name, state in run["conditions"].items() if name == "beforeEntry" and entered
    }
    run |= {"status": "InProgress", "phase": "actions" if entered else "before", "actions": kept}
    run["entered"] = time.time_ns()
    run.pop("conditionFailure", None)
    execution["status"] = "InProgress"
    execution.pop("statusSummary", None)


def roll_back(execution: Json, run: Json) -> None:
    """Fail the stage and start a rollback to its last success, when there is one."""
    fail(execution, run)
    stage = executions.stage_of(execution)["name"]
    target = last_success(execution, stage)
    if target is None:
        execution["statusSummary"] += (
            " Nothing was rolled back: no earlier execution of this pipeline version succeeded here."
        )
        return
    executions.keep(execution)  # it leaves the stage before the rollback enters
    start_rollback(target, stage, "AutomatedRollback", f"FailedPipelineExecutionId:{execution['id']}")


def start_rollback(target: Json, stage: str, trigger: str, detail: str) -> Json:
    """Start the execution that takes a stage back to what `target` made of it."""
    from embedded_aws.codesuite.codepipeline import engine  # noqa: PLC0415 - it imports us

    names = [each["name"] for each in target["declaration"]["stages"]]
    execution = executions.new(
        executions.scope_of(target),
        target["declaration"],
        {"triggerType": trigger, "triggerDetail": detail},
        target=target,
        stage=names.index(stage),
    )
    engine.advance(execution)
    return execution


def last_success(execution: Json, stage: str) -> Json | None:
    """Find the newest earlier standard execution of the same pipeline version that succeeded in a stage."""
    candidates = executions.of_pipeline(executions.scope_of(execution), execution["pipelineName"])
    good = [
        other
        for other in candidates
        if other["id"] != execution["id"]
        and other["type"] == "STANDARD"
        and other["pipelineVersion"] == execution["pipelineVersion"]
        and other["runs"].get(stage, {}).get("status") == "Succeeded"
    ]
    return max(good, key=lambda other: other["runs"][stage].get("ended", 0), default=None)


def _summary(execution: Json, run: Json) -> str:
    found = [action_runs.find(execution, identifier) for identifier in run["actions"].values()]
    failed = [action for action in found if action["status"] == "Failed"]
    reasons = [
        f"{action['actionName']}: {action.get('error', {}).get('message', 'failed')}" for action in failed
    ]
    stage = executions.stage_of(execution)["name"]
    return f"Stage {stage} failed. " + "; ".join(reasons or [run.get("conditionFailure", "")])
