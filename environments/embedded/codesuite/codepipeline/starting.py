"""Starts actions: makes their record now and runs them once it is committed."""

from environments.embedded.codesuite import runtime, work
from environments.embedded.codesuite.codepipeline import action_runs
from environments.embedded.codesuite.documents import Json


def start(execution: Json, stage: str, declaration: Json) -> Json:
    """Start an action of a stage; return its record."""
    run = action_runs.new(execution, stage, declaration)
    runtime.current().store.after_commit(lambda: _go(execution, run["id"]))
    return run


def _go(execution: Json, identifier: str) -> None:
    from environments.embedded.codesuite.codepipeline.actions import performing  # noqa: PLC0415 - it ends in the engine

    work.start(f"action-{identifier}", lambda: performing.perform(execution, identifier))
