"""Stage conditions: what is declared, what state is kept, and what a checked condition means for its stage.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html

What the stage rules may ask for: they decide over this protocol and touch nothing else.
"""

from dataclasses import dataclass
from typing import Protocol

from embedded_aws.codepipeline import executions
from embedded_aws.core.api import Json


class StageActions(Protocol):
    """Everything outside an execution that the rules read or begin."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        ...

    def entry_number(self) -> int:
        """Return a number that grows with every entry into a stage."""
        ...

    def other_executions(self, execution: Json) -> list[Json]:
        """Return the pipeline's other executions, oldest first."""
        ...

    def action_runs(self, execution: Json, run: Json) -> list[Json]:
        """Return the latest record of each action that a stage's run has begun."""
        ...

    def transition_enabled(self, execution: Json, stage: str) -> bool:
        """Tell whether the transition into a stage is enabled."""
        ...

    def keep(self, execution: Json) -> None:
        """Write an execution's record."""
        ...

    def start_action(self, execution: Json, stage: str, declaration: Json) -> str:
        """Begin an action; return the id of its execution."""
        ...

    def check_condition(self, execution: Json, kind: str) -> None:
        """Begin to check the rules of one of the current stage's conditions."""
        ...

    def start_rollback(self, target: Json, replaced: Json, trigger: str, detail: str) -> None:
        """Start an execution that takes the stage of `replaced` back to what `target` made of it."""
        ...


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
