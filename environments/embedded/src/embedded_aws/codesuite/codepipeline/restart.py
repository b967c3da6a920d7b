"""After a restart: every execution that was under way goes on, or fails with a reason."""

import functools

from embedded_aws.codesuite import runtime, threads
from embedded_aws.codesuite.codebuild import records, runner
from embedded_aws.codesuite.codepipeline import action_runs, conditions, engine, executions
from embedded_aws.codesuite.codepipeline.actions import action_runner
from embedded_aws.codesuite.scope import Json


def resume() -> None:
    """Take up what the last process left; called once, when the endpoint answers."""
    records.fault_unfinished()
    runner.clear()
    for execution in executions.unfinished():
        _resume_actions(execution)
        _resume_conditions(execution)
        engine.touched(executions.key(execution))


def _resume_actions(execution: Json) -> None:
    for run in action_runs.of_execution(execution):
        if run["status"] == "InProgress":
            again = functools.partial(action_runner.perform, execution, run["id"], again=True)
            threads.start(f"again-{run['id']}", again)


def _resume_conditions(execution: Json) -> None:
    with runtime.current().store.transaction():
        for kind, state in executions.run_of(execution)["conditions"].items():
            if state["status"] == "InProgress":  # rules only look, so they are checked once more
                conditions.begin(execution, kind)
