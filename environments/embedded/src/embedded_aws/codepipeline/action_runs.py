"""Action executions: one record for each attempt of an action in an execution."""

from typing import cast

from embedded_aws.codepipeline.records import ActionRun, Execution
from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json

KIND = "action"


def new(execution: Execution, stage: str, declaration: Json) -> ActionRun:
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
    keep(run)
    return run


def keep(run: ActionRun) -> None:
    """Write a record."""
    run["updated"] = api.now()
    where = (run["account"], run["region"], run["pipelineName"], run["pipelineExecutionId"], run["id"])
    runtime.current().store.put(KIND, *where, body=run)


def find(execution: Execution, identifier: str) -> ActionRun:
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
    run = runtime.current().store.get(KIND, *where)
    if run is None:
        raise KeyError(identifier)
    return cast("ActionRun", run)


def of_execution(execution: Execution) -> list[ActionRun]:
    """Read the records of an execution, oldest first."""
    where = (execution["account"], execution["region"], execution["pipelineName"], execution["id"])
    return cast("list[ActionRun]", runtime.current().store.all(KIND, *where))


def of_pipeline(account: str, region: str, name: str) -> list[ActionRun]:
    """Read the records of a pipeline, oldest first."""
    return cast("list[ActionRun]", runtime.current().store.all(KIND, account, region, name))
