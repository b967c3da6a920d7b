"""The calls that start and stop executions."""

from embedded_aws.codepipeline import action_runs, engine, executions, pipelines
from embedded_aws.core import runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions

_CONCURRENT_LIMIT = 50
_TOKEN = "codepipeline-token"  # noqa: S105 - the kind of a document


def start(scope: Scope, request: Json) -> Json:
    """StartPipelineExecution. The same client token answers with the same execution.

    Raises:
        ApiError: As many executions are under way as AWS allows.
    """
    store = runtime.current().store
    with store.transaction():
        record = pipelines.find(scope, request["name"])
        token = request.get("clientRequestToken")
        earlier = store.get(_TOKEN, scope.account, scope.region, request["name"], token) if token else None
        if earlier:
            return {"pipelineExecutionId": earlier["id"]}
        under_way = [
            e for e in executions.of_pipeline(scope, request["name"]) if e["status"] in executions.UNFINISHED
        ]
        if len(under_way) >= _CONCURRENT_LIMIT:
            raise ApiError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline has {len(under_way)} executions under way.",
            )
        execution = pipelines.begin(
            scope,
            record,
            {"triggerType": "StartPipelineExecution", "triggerDetail": role_sessions.caller(scope)},
            variables=_variables(record["pipeline"], request.get("variables", [])),
            overrides=_overrides(record["pipeline"], request.get("sourceRevisions", [])),
        )
        if token:
            store.put(
                _TOKEN, scope.account, scope.region, request["name"], token, body={"id": execution["id"]}
            )
    return {"pipelineExecutionId": execution["id"]}


def _variables(pipeline: Json, requested: list[Json]) -> dict[str, str]:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineVariableDeclaration.html."""
    declared = {variable["name"]: variable for variable in pipeline.get("variables", [])}
    values = {variable["name"]: variable["value"] for variable in requested}
    unknown = sorted(set(values) - set(declared))
    if unknown:
        raise ApiError("ValidationException", f"Pipeline variables are not declared: {', '.join(unknown)}")
    missing = [
        name for name, variable in declared.items() if "defaultValue" not in variable and name not in values
    ]
    if missing:
        raise ApiError("ValidationException", f"Pipeline variables need a value: {', '.join(missing)}")
    return values


def _overrides(pipeline: Json, requested: list[Json]) -> list[Json]:
    sources = [action["name"] for action in pipeline["stages"][0]["actions"]]
    for override in requested:
        if override["actionName"] not in sources:
            raise ApiError(
                "ValidationException", f"{override['actionName']} is not a source action of the pipeline"
            )
        if override["revisionType"] != "COMMIT_ID":
            raise ApiError(
                "ValidationException",
                f"Revision type {override['revisionType']} is not valid for {override['actionName']}",
            )
    return requested


def stop(scope: Scope, request: Json) -> Json:
    """StopPipelineExecution: waits for the actions in progress, or abandons them.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html

    Raises:
        ApiError: The execution has ended, or is being stopped already.
    """
    with runtime.current().store.transaction():
        pipelines.find(scope, request["pipelineName"])
        execution = executions.find(
            scope.account, scope.region, request["pipelineName"], request["pipelineExecutionId"]
        )
        abandon = request.get("abandon", False)
        if execution is None or execution["status"] not in executions.UNFINISHED:
            raise ApiError(
                "PipelineExecutionNotStoppableException",
                f"The pipeline execution {request['pipelineExecutionId']} cannot be stopped.",
            )
        if execution["status"] == "Stopping" and not abandon:
            raise ApiError(
                "DuplicatedStopRequestException", "The pipeline execution is already in a Stopping state."
            )
        execution |= {
            "status": "Stopping",
            "stopTrigger": {"reason": request.get("reason", "")},
            "statusSummary": request.get("reason", ""),
        }
        if abandon:
            for run in action_runs.of_execution(execution):
                if run["status"] == "InProgress":
                    action_runs.keep(run | {"status": "Abandoned"})
        engine.advance(execution)
    return {"pipelineExecutionId": request["pipelineExecutionId"]}
