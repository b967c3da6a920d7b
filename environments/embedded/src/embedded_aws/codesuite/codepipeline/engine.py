"""Moves executions on: whenever something happened, as far as the rules of `stages` let them.

Nothing here waits. What takes time runs in a thread and comes back through `action_finished` or
`conditions_finished`; what waits for somebody or for a moment is only a record, so that a restart finds it.
"""

from collections.abc import Callable

from embedded_aws.codesuite import checkpoint, clock, notifications, runtime
from embedded_aws.codesuite.codepipeline import action_runs, executions, stages
from embedded_aws.codesuite.scope import Json


def advance(execution: Json) -> None:
    """Move an execution, and then those that waited for it; inside a transaction."""
    before = (execution["status"], execution["stage"])
    moved = False
    while execution["status"] in executions.UNFINISHED and stages.step(execution):
        moved = True
    executions.keep(execution)
    if moved:
        notifications.execution_changed(execution, before[0])
        for other in executions.of_pipeline(executions.scope_of(execution), execution["pipelineName"]):
            # Reread: an earlier one of this loop may have moved or superseded it.
            current = executions.find(*executions.key(other))
            if current and current["id"] != execution["id"] and executions.waits(current):
                advance(current)


def touched(where: tuple[str, ...], change: Callable[[Json], None] | None = None) -> None:
    """Change an execution's record and move it on."""
    with runtime.current().store.transaction():
        execution = executions.find(*where)
        if execution is None:
            return  # its pipeline was deleted meanwhile
        if change is not None:
            change(execution)
        advance(execution)


def action_finished(execution: Json, identifier: str, result: Json) -> None:
    """Take an action's result: its status, what it made and what it says.

    Args:
        execution: whose action it is; only its key is used.
        identifier: of the action execution.
        result: fields to set on the record; `status` at least.
    """
    checkpoint.take()  # what the action changed is on disk before we say that it is done
    with runtime.current().store.transaction():
        current = executions.find(*executions.key(execution))
        if current is None:
            return
        run = action_runs.find(current, identifier)
        if run["status"] != "InProgress":
            return  # abandoned, or answered meanwhile
        run |= result
        run["ended"] = clock.now()
        action_runs.keep(run)
        if run["status"] == "Succeeded":
            _gather(current, run)
        notifications.action_changed(current, run)
        advance(current)


def _gather(execution: Json, run: Json) -> None:
    """Let later actions use what this one made."""
    for artifact in run["outputs"]:
        execution["artifacts"][artifact["name"]] = artifact["s3location"]
    if run["declaration"].get("namespace"):
        execution["namespaces"][run["declaration"]["namespace"]] = run["variables"]
    if run.get("revision"):
        others = [r for r in execution["revisions"] if r["actionName"] != run["actionName"]]
        execution["revisions"] = [*others, run["revision"]]
