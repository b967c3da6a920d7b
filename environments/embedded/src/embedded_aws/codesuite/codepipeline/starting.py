"""Starts actions: makes their record now and runs them once it is committed."""

from embedded_aws.codesuite import runtime, threads
from embedded_aws.codesuite.codepipeline import action_runs
from embedded_aws.codesuite.scope import Json


def start(execution: Json, stage: str, declaration: Json) -> Json:
    """Start an action of a stage; return its record."""
    run = action_runs.new(execution, stage, declaration)
    runtime.current().store.after_commit(lambda: _go(execution, run["id"]))
    return run


def _go(execution: Json, identifier: str) -> None:
    from embedded_aws.codesuite.codepipeline.actions import action_runner  # noqa: PLC0415 - it ends in the engine

    threads.start(f"action-{identifier}", lambda: action_runner.perform(execution, identifier))
