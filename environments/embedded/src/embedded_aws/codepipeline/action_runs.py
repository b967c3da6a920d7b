"""Action executions: one record for each attempt of an action in an execution."""

from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json

KIND = "action"


def new(execution: Json, stage: str, declaration: Json) -> Json:
    """Make and keep the record of an action that begins: {id, stageName, actionName, status, inputs, …}."""
    run: Json = {
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


def keep(run: Json) -> None:
    """Write a record."""
    run["updated"] = api.now()
    where = (run["account"], run["region"], run["pipelineName"], run["pipelineExecutionId"], run["id"])
    runtime.current().store.put(KIND, *where, body=run)


def find(execution: Json, identifier: str) -> Json:
    """Read one record of an execution, as `new` makes it.

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
    return run


def of_execution(execution: Json) -> list[Json]:
    """Read the records of an execution, as `new` makes them, oldest first."""
    where = (execution["account"], execution["region"], execution["pipelineName"], execution["id"])
    return runtime.current().store.all(KIND, *where)


def of_pipeline(account: str, region: str, name: str) -> list[Json]:
    """Read the records of a pipeline, as `new` makes them, oldest first."""
    return runtime.current().store.all(KIND, account, region, name)
