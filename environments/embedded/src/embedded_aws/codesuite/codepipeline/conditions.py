"""Stage conditions: rules that are checked before a stage is entered, and after it succeeded or failed.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
"""

from dataclasses import dataclass

from embedded_aws.codesuite import clock, runtime, threads
from embedded_aws.codesuite.codepipeline import executions
from embedded_aws.codesuite.scope import Json


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all rules of a condition hold, and what its result is to be."""

    met: bool
    result: str | None
    summary: str


def verdict(execution: Json, run: Json, kind: str) -> Verdict | None:
    """Return the verdict on one of a stage's conditions, or none while its rules are being checked.

    Args:
        execution: in the stage.
        run: of the stage; the condition's state is kept in it.
        kind: `beforeEntry`, `onSuccess` or `onFailure`.
    """
    declared = (executions.stage_of(execution).get(kind) or {}).get("conditions")
    if not declared or execution["type"] == "ROLLBACK":  # a rollback must not wait for a window
        return Verdict(met=True, result=None, summary="")
    condition = declared[0]  # the API takes exactly one
    state = run["conditions"].get(kind)
    if state is None:
        run["conditions"][kind] = {"status": "InProgress", "lastStatusChange": clock.now(), "rules": []}
        begin(execution, kind)
        return None
    if state["status"] == "InProgress":
        return None
    return Verdict(state["status"] == "Succeeded", condition.get("result", "FAIL"), state.get("summary", ""))


def begin(execution: Json, kind: str) -> None:
    """Check a condition's rules in a thread of their own, once the current transaction is committed."""
    where, stage = executions.key(execution), executions.stage_of(execution)["name"]
    runtime.current().store.after_commit(
        lambda: threads.start(f"condition-{stage}-{kind}", lambda: _check(where, stage, kind))
    )


def _check(where: tuple[str, ...], stage: str, kind: str) -> None:
    from embedded_aws.codesuite.codepipeline import engine  # noqa: PLC0415 - it is the engine that begins us
    from embedded_aws.codesuite.codepipeline.rules import checking  # noqa: PLC0415 - as above

    execution = executions.find(*where)
    if execution is None:
        return
    checked: list[Json] = []
    for rule in executions.stage_of(execution)[kind]["conditions"][0]["rules"]:
        checked.append(checking.check(execution, stage, kind, rule))
        if checked[-1]["status"] != "Succeeded":
            break  # "if one rule fails in the condition, then the condition fails"
    failed = [rule for rule in checked if rule["status"] != "Succeeded"]

    def settle(current: Json) -> None:
        state = executions.run_of(current, stage)["conditions"].get(kind)
        if state is not None and state["status"] == "InProgress":
            state |= {
                "status": "Failed" if failed else "Succeeded",
                "lastStatusChange": clock.now(),
                "rules": checked,
                "summary": "; ".join(f"Rule {rule['ruleName']}: {rule['summary']}" for rule in failed),
            }

    engine.touched(where, settle)
