"""Moves executions on: whenever something happened, as far as the rules of `stages` let them.

The one place of transactions: `stages` decides, this writes records and orders work; the performer that is
connected here does the work on threads and reports back through `action_finished` and `condition_checked`.
Nothing here waits; what waits for somebody or for a moment is only a record, so that a restart takes it up.
"""

import time
from collections.abc import Callable
from typing import Protocol, cast

from embedded_aws.codepipeline import conditions, executions, notifications, stages
from embedded_aws.codepipeline.records import ActionResult, ActionRun, Execution, RuleRun, StageRun
from embedded_aws.core import api, registration, runtime
from embedded_aws.core.api import Json


class Performer(Protocol):
    """Does what takes time; each call returns at once."""

    def run_action(self, execution: Execution, identifier: str) -> None:
        """Run an action whose record is written; it ends in `action_finished`."""
        ...

    def check_condition(self, execution: Execution, kind: str) -> None:
        """Check a condition's rules; it ends in `condition_checked`."""
        ...


_performers: list[Performer] = []


def connect(performer: Performer) -> None:
    """Let `performer` do all work from now on."""
    _performers[:] = [performer]


class _Acts:
    """Acts for the stage rules inside the current transaction; work begins once it is committed."""

    @staticmethod
    def now() -> float:
        return api.now()

    @staticmethod
    def entry_number() -> int:
        return time.time_ns()

    @staticmethod
    def other_executions(execution: Execution) -> list[Execution]:
        every = executions.of_pipeline(executions.scope_of(execution), execution["pipelineName"])
        return [other for other in every if other["id"] != execution["id"]]

    @staticmethod
    def action_runs(execution: Execution, run: StageRun) -> list[ActionRun]:
        return [executions.find_action(execution, identifier) for identifier in run["actions"].values()]

    @staticmethod
    def transition_enabled(execution: Execution, stage: str) -> bool:
        store, scope = runtime.current().store, executions.scope_of(execution)
        record = store.get("pipeline", scope.account, scope.region, execution["pipelineName"]) or {}
        return bool(record.get("transitions", {}).get(stage, {"enabled": True})["enabled"])

    @staticmethod
    def keep(execution: Execution) -> None:
        executions.keep(execution)

    @staticmethod
    def start_action(execution: Execution, stage: str, declaration: Json) -> str:
        identifier = executions.begin_action(execution, stage, declaration)["id"]
        runtime.current().store.after_commit(lambda: _performers[0].run_action(execution, identifier))
        return identifier

    @staticmethod
    def check_condition(execution: Execution, kind: str) -> None:
        runtime.current().store.after_commit(lambda: _performers[0].check_condition(execution, kind))

    @staticmethod
    def start_rollback(target: Execution, replaced: Execution, trigger: str, detail: str) -> None:
        stage = executions.stage_of(replaced)["name"]
        start_rollback(target, replaced, stage, trigger=trigger, detail=detail)


ACTS = _Acts()


def advance(execution: Execution) -> None:
    """Move an execution, and then those that waited for it; inside a transaction."""
    before = execution["status"]
    moved = False
    while execution["status"] in executions.UNFINISHED and stages.step(execution, ACTS):
        moved = True
    executions.keep(execution)
    if moved:
        notifications.execution_changed(execution, before)
        for other in executions.of_pipeline(executions.scope_of(execution), execution["pipelineName"]):
            # Reread: an earlier one of this loop may have moved or superseded it.
            current = executions.find(*executions.key(other))
            if current and current["id"] != execution["id"] and executions.waits(current):
                advance(current)


def start_rollback(
    target: Execution, replaced: Execution | None, stage: str, *, trigger: str, detail: str
) -> Execution:
    """Start the execution that takes a stage back to what `target` made of it.

    Args:
        target: the execution to go back to.
        replaced: the one that was last in the stage, if any was.
        stage: its name.
        trigger: the trigger type.
        detail: of the trigger.

    Returns:
        The new execution's record.
    """
    names = [each["name"] for each in target["declaration"]["stages"]]
    execution = executions.new(
        executions.scope_of(target),
        target["declaration"],
        {"triggerType": trigger, "triggerDetail": detail},
        target=target,
        replaced=replaced,
        stage=names.index(stage),
    )
    advance(execution)
    return execution


def update(key: tuple[str, ...], change: Callable[[Execution], None] | None = None) -> None:
    """Change the record of the execution with that key, and move it on; nothing if its pipeline is gone."""
    with runtime.current().store.transaction():
        execution = executions.find(*key)
        if execution is None:
            return
        if change is not None:
            change(execution)
        advance(execution)


def condition_checked(key: tuple[str, ...], stage: str, kind: str, rules: list[RuleRun]) -> None:
    """Take the records of a condition's rules, in their order."""

    def settle(execution: Execution) -> None:
        conditions.settle(executions.run_of(execution, stage), kind, rules, api.now())

    update(key, settle)


def action_finished(execution: Execution, identifier: str, result: ActionResult) -> None:
    """Take an action's result: its status, what it made and what it says.

    Args:
        execution: whose action it is; only its key is used.
        identifier: of the action execution.
        result: fields to set on the record; `status` at least.
    """
    registration.write_state()  # what the action changed is on disk before we say that it is done
    with runtime.current().store.transaction():
        current = executions.find(*executions.key(execution))
        if current is None:
            return
        run = executions.find_action(current, identifier)
        if run["status"] != "InProgress":
            return  # abandoned, or answered meanwhile
        run = cast("ActionRun", {**run, **result, "ended": api.now()})
        executions.keep_action(run)
        if run["status"] == "Succeeded":
            _gather(current, run)
        notifications.action_changed(current, run)
        advance(current)


def _gather(execution: Execution, run: ActionRun) -> None:
    """Let later actions use what this one made."""
    for artifact in run["outputs"]:
        execution["artifacts"][artifact["name"]] = artifact["s3location"]
    if run["declaration"].get("namespace"):
        execution["namespaces"][run["declaration"]["namespace"]] = run["variables"]
    if run.get("revision"):
        others = [r for r in execution["revisions"] if r["actionName"] != run["actionName"]]
        execution["revisions"] = [*others, run["revision"]]
