"""Executions and their actions: their records, where they stand and what they have gathered on the way."""

import time
from typing import Any, cast

from embedded_aws.codepipeline.records import ActionRun, Execution, StageRun
from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json, Scope

KIND = "execution"
RULE_KIND = "rule"
UNFINISHED = ("InProgress", "Stopping")


def new(
    scope: Scope,
    pipeline: Json,
    trigger: dict[str, str],
    *,
    variables: Json | None = None,
    overrides: list[Json] | None = None,
    push: dict[str, str] | None = None,
    target: Execution | None = None,
    replaced: Execution | None = None,
    stage: int = 0,
) -> Execution:
    """Make and keep an execution that has not entered a stage yet.

    Args:
        scope: of the pipeline.
        pipeline: its structure as of now; the execution keeps it.
        trigger: what started it.
        variables: values of pipeline variables; the others get their defaults.
        overrides: source revisions to use instead of the newest.
        push: the branch and commit of the push that started it.
        target: of a rollback, the execution whose artifacts and variables are used again.
        replaced: of a rollback, the execution that was last in its stage.
        stage: of a rollback, the stage that is rolled back, by its place.
    """
    values = {each["name"]: each.get("defaultValue", "") for each in pipeline.get("variables", [])} | (
        variables or {}
    )
    of_target = runtime.current().readings().rollback_variables == "target" or replaced is None
    inherited = target if of_target else replaced
    execution: Execution = {
        "id": api.new_id(),
        "account": scope.account,
        "region": scope.region,
        "pipelineName": pipeline["name"],
        "pipelineVersion": pipeline["version"],
        "declaration": pipeline,
        "mode": pipeline["executionMode"],
        "type": "ROLLBACK" if target else "STANDARD",
        "checksConditions": target is None or runtime.current().readings().rollback_checks_conditions,
        "rollbackTarget": target["id"] if target else None,
        "status": "InProgress",
        "start": api.now(),
        "order": time.time_ns(),
        "updated": api.now(),
        "trigger": trigger,
        "variables": inherited["variables"] if inherited else values,
        "overrides": overrides or [],
        "push": push,
        "revisions": target["revisions"] if target else [],
        "artifacts": target["artifacts"] if target else {},
        "namespaces": inherited["namespaces"] if inherited else {},
        "stage": stage,
        "runs": {},
    }
    keep(execution)
    return execution


def keep(execution: Execution) -> None:
    """Write an execution."""
    execution["updated"] = api.now()
    runtime.current().store.put(KIND, *key(execution), body=execution)


def key(execution: Execution) -> tuple[str, str, str, str]:
    """Say where an execution is kept."""
    return execution["account"], execution["region"], execution["pipelineName"], execution["id"]


def scope_of(execution: Execution) -> Scope:
    """Say where an execution runs."""
    return Scope(execution["account"], execution["region"])


def find(*where: str) -> Execution | None:
    """Read an execution by its key."""
    return cast("Execution | None", runtime.current().store.get(KIND, *where))


def of_pipeline(scope: Scope, name: str) -> list[Execution]:
    """Read the executions of a pipeline, oldest first."""
    return cast("list[Execution]", runtime.current().store.all(KIND, scope.account, scope.region, name))


def unfinished() -> list[Execution]:
    """Read every execution that is still under way, of all pipelines."""
    every = cast("list[Execution]", runtime.current().store.all(KIND))
    return [execution for execution in every if execution["status"] in UNFINISHED]


def stage_of(execution: Execution) -> Json:
    """Return the StageDeclaration of the stage that an execution is in or waits for."""
    stage: Json = execution["declaration"]["stages"][execution["stage"]]
    return stage


def run_of(execution: Execution, name: str | None = None) -> StageRun:
    """Return an execution's run of a stage, of the current one when none is named; made when it is new."""
    return execution["runs"].setdefault(
        name or stage_of(execution)["name"],
        {
            "status": None,
            "phase": "waiting",
            "actions": {},
            "conditions": {},
            "retry": {},
            "since": api.now(),
        },
    )


def status_in(execution: Execution, stage: str) -> str | None:
    """Return how an execution's run of a stage stands, none where it has not entered."""
    run = execution["runs"].get(stage)
    return run["status"] if run else None


def waits(execution: Execution) -> bool:
    """Tell whether an execution waits to enter its stage."""
    return execution["status"] in UNFINISHED and run_of(execution)["phase"] == "waiting"


def occupies(execution: Execution, stage: str) -> bool:
    """Tell whether an execution holds a stage: one that is in it and not done with it."""
    current_stage: Any = execution["declaration"]["stages"][execution["stage"]]["name"]
    return (
        execution["status"] in UNFINISHED
        and current_stage == stage
        and run_of(execution)["phase"] != "waiting"
    )


ACTION_KIND = "action"


def begin_action(execution: Execution, stage: str, declaration: Json) -> ActionRun:
    """Make and keep the record of an action that begins."""
    run: ActionRun = {
        "id": api.new_id(),
        "account": execution["account"],
        "region": execution["region"],
        "pipelineName": execution["pipelineName"],
        "pipelineExecutionId": execution["id"],
        "pipelineVersion": execution["pipelineVersion"],
        "stageName": stage,
        "actionName": declaration["name"],
        "declaration": declaration,
        "status": "InProgress",
        "start": api.now(),
        "updated": api.now(),
        "inputs": [],
        "outputs": [],
        "variables": {},
    }
    keep_action(run)
    return run


def keep_action(run: ActionRun) -> None:
    """Write a record."""
    run["updated"] = api.now()
    where = (run["account"], run["region"], run["pipelineName"], run["pipelineExecutionId"], run["id"])
    runtime.current().store.put(ACTION_KIND, *where, body=run)


def find_action(execution: Execution, identifier: str) -> ActionRun:
    """Read one record of an execution.

    Raises:
        KeyError: there is none.
    """
    where = (
        execution["account"],
        execution["region"],
        execution["pipelineName"],
        execution["id"],
        identifier,
    )
    run = runtime.current().store.get(ACTION_KIND, *where)
    if run is None:
        raise KeyError(identifier)
    return cast("ActionRun", run)


def actions_of(execution: Execution) -> list[ActionRun]:
    """Read the records of an execution, oldest first."""
    where = (execution["account"], execution["region"], execution["pipelineName"], execution["id"])
    return cast("list[ActionRun]", runtime.current().store.all(ACTION_KIND, *where))


def actions_of_pipeline(account: str, region: str, name: str) -> list[ActionRun]:
    """Read the records of a pipeline, oldest first."""
    return cast("list[ActionRun]", runtime.current().store.all(ACTION_KIND, account, region, name))
