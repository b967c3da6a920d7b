"""Stage conditions: what is declared, what state is kept, and what a checked condition means for its stage.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
"""

from dataclasses import dataclass

from embedded_aws.codepipeline import executions
from embedded_aws.codepipeline.stage_actions import StageActions
from embedded_aws.core.api import Json


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """Whether all rules of a condition hold, and what its declared result is."""

    met: bool
    result: str | None
    summary: str


_NO_CONDITION = ConditionResult(met=True, result=None, summary="")


def result_of(execution: Json, run: Json, kind: str, act: StageActions) -> ConditionResult | None:
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
    met = state["status"] == "Succeeded"
    return ConditionResult(met, condition.get("result", "FAIL"), state.get("summary", ""))


def settle(run: Json, kind: str, rules: list[Json], now: float) -> None:
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
