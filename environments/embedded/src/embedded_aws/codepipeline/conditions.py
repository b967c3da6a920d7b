"""Stage conditions: what is declared and what a checked one means; and what happens to a stage that fails.

A stage that fails does nothing more, is retried once, or is rolled back to the last good execution.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry-auto.html

`StageActions` is what the stage rules may ask for: they decide over this protocol and touch nothing else.
"""

from dataclasses import dataclass
from typing import Protocol

from embedded_aws.codepipeline import executions
from embedded_aws.codepipeline.records import ActionRun, Execution, RuleRun, StageRun
from embedded_aws.core.api import Json


class StageActions(Protocol):
    """Everything outside an execution that the rules read or begin."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        ...

    def entry_number(self) -> int:
        """Return a number that grows with every entry into a stage."""
        ...

    def other_executions(self, execution: Execution) -> list[Execution]:
        """Return the pipeline's other executions, oldest first."""
        ...

    def action_runs(self, execution: Execution, run: StageRun) -> list[ActionRun]:
        """Return the latest record of each action that a stage's run has begun."""
        ...

    def transition_enabled(self, execution: Execution, stage: str) -> bool:
        """Tell whether the transition into a stage is enabled."""
        ...

    def keep(self, execution: Execution) -> None:
        """Write an execution's record."""
        ...

    def start_action(self, execution: Execution, stage: str, declaration: Json) -> str:
        """Begin an action; return the id of its execution."""
        ...

    def check_condition(self, execution: Execution, kind: str) -> None:
        """Begin to check the rules of one of the current stage's conditions."""
        ...

    def start_rollback(self, target: Execution, replaced: Execution, trigger: str, detail: str) -> None:
        """Start an execution that takes the stage of `replaced` back to what `target` made of it."""
        ...


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """Whether all rules of a condition hold, and what its declared result is."""

    met: bool
    result: str | None
    summary: str


_NO_CONDITION = ConditionResult(met=True, result=None, summary="")


def result_of(execution: Execution, run: StageRun, kind: str, act: StageActions) -> ConditionResult | None:
    """Return the result of one of a stage's conditions, or none while its rules are being checked.

    Args:
        execution: in the stage.
        run: of the stage; the condition's state is kept in it.
        kind: `beforeEntry`, `onSuccess` or `onFailure`.
        act: begins the check of a condition that was not checked yet.
    """
    declared = (executions.stage_of(execution).get(kind) or {}).get("conditions")
    if not declared or not execution["checksConditions"]:
        return _NO_CONDITION
    condition = declared[0]  # the API takes exactly one
    state = run["conditions"].get(kind)
    if state is None:
        run["conditions"][kind] = {"status": "InProgress", "lastStatusChange": act.now(), "rules": []}
        act.check_condition(execution, kind)
        return None
    if state["status"] == "InProgress":
        return None
    met = state["status"] in {"Succeeded", "Overridden"}
    return ConditionResult(met, condition.get("result", "FAIL"), state.get("summary", ""))


def settle(run: StageRun, kind: str, rules: list[RuleRun], now: float) -> None:
    """Note in a stage's run how the rules of a condition went, unless that is known already.

    Args:
        run: of the stage.
        kind: of the condition.
        rules: the records of the rules that were checked; the last one may have failed.
        now: the time.
    """
    state = run["conditions"].get(kind)
    if state is None or state["status"] != "InProgress":
        return
    failed = [rule for rule in rules if rule["status"] != "Succeeded"]
    state |= {
        "status": "Failed" if failed else "Succeeded",
        "lastStatusChange": now,
        "rules": rules,
        "summary": "; ".join(f"Rule {rule['ruleName']}: {rule['summary']}" for rule in failed),
    }


def handle(execution: Execution, run: StageRun, act: StageActions) -> bool:
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
        condition = result_of(execution, run, "onFailure", act)
        if condition is None:
            return False
        # A failure condition's result engages when they hold: "when the condition is met" (API_Condition).
        result = condition.result if condition.met else None
    if result == "ROLLBACK":
        roll_back(execution, run, act)
    else:
        _fail(execution, run, act)
    return True


def restart_stage(execution: Execution, run: StageRun, mode: str, act: StageActions) -> None:
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


def roll_back(execution: Execution, run: StageRun, act: StageActions) -> None:
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


def _last_success(execution: Execution, stage: str, act: StageActions) -> Execution | None:
    """Return the newest other standard execution of the same pipeline version that succeeded in a stage."""
    good = [
        other
        for other in act.other_executions(execution)
        if other["type"] == "STANDARD"
        and other["pipelineVersion"] == execution["pipelineVersion"]
        and executions.status_in(other, stage) == "Succeeded"
    ]
    return max(good, key=lambda other: other["runs"][stage].get("ended", 0), default=None)


def _fail(execution: Execution, run: StageRun, act: StageActions) -> None:
    """End an execution in its failed stage."""
    run |= {"status": "Failed", "ended": act.now()}
    execution |= {"status": "Failed", "statusSummary": _summary(execution, run, act)}


def _summary(execution: Execution, run: StageRun, act: StageActions) -> str:
    failed = [action for action in act.action_runs(execution, run) if action["status"] == "Failed"]
    reasons = [
        f"{action['actionName']}: {action.get('error', {}).get('message', 'failed')}" for action in failed
    ]
    stage = executions.stage_of(execution)["name"]
    return f"Stage {stage} failed. " + "; ".join(reasons or [run.get("conditionFailure", "")])
