"""The calls that start and stop executions.

The calls of approvals, and of transitions between stages.
"""

from typing import TYPE_CHECKING

from embedded_aws.codepipeline import engine, executions, pipelines
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions

if TYPE_CHECKING:
    from embedded_aws.codepipeline.records import ActionResult

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
            for run in executions.actions_of(execution):
                if run["status"] == "InProgress":
                    executions.keep_action(run | {"status": "Abandoned"})
        engine.advance(execution)
    return {"pipelineExecutionId": request["pipelineExecutionId"]}


def approve(scope: Scope, request: Json) -> Json:
    """PutApprovalResult.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html: in PARALLEL mode
    the token is the action's external execution id; here it is so in every mode.

    Raises:
        ApiError: The token is none that waits, or the approval was answered before.
    """
    name, stage, action = request["pipelineName"], request["stageName"], request["actionName"]
    _action(pipelines.find(scope, name)["pipeline"], stage, action)
    runs = [
        run
        for run in executions.actions_of_pipeline(scope.account, scope.region, name)
        if run.get("token") == request["token"]
    ]
    if not runs or (runs[0]["stageName"], runs[0]["actionName"]) != (stage, action):
        raise ApiError("InvalidApprovalTokenException", "The approval token is not valid.")
    if runs[0]["status"] != "InProgress":
        raise ApiError(
            "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected."
        )
    summary = request["result"]["summary"]
    approved = request["result"]["status"] == "Approved"
    result: ActionResult = {
        "status": "Succeeded" if approved else "Failed",
        "summary": summary,
        "updatedBy": role_sessions.caller(scope),
    }
    if not approved:
        result["error"] = {"code": "JobFailed", "message": f"Rejected by {result['updatedBy']}: {summary}"}
    execution = executions.find(scope.account, scope.region, name, runs[0]["pipelineExecutionId"])
    if execution is not None:
        engine.action_finished(execution, runs[0]["id"], result)
    return {"approvedAt": api.now()}


def disable_transition(scope: Scope, request: Json) -> Json:
    """DisableStageTransition."""
    return _transition(scope, request, {"enabled": False, "disabledReason": request["reason"]})


def enable_transition(scope: Scope, request: Json) -> Json:
    """EnableStageTransition: what waited goes on."""
    return _transition(scope, request, {"enabled": True})


def _transition(scope: Scope, request: Json, change: Json) -> Json:
    with runtime.current().store.transaction():
        record = pipelines.find(scope, request["pipelineName"])
        names = [stage["name"] for stage in record["pipeline"]["stages"]]
        number = pipelines.place(record["pipeline"], request["stageName"]) + (
            request["transitionType"] == "Outbound"
        )
        if number < len(names):
            who = {"lastChangedBy": role_sessions.caller(scope), "lastChangedAt": api.now()}
            record["transitions"][names[number]] = change | who
            pipelines.keep(scope, record)
        for execution in executions.of_pipeline(scope, request["pipelineName"]):
            if executions.waits(execution):
                engine.update(executions.key(execution))
    return {}


def _action(pipeline: Json, stage: str, name: str) -> None:
    actions = pipeline["stages"][pipelines.place(pipeline, stage)]["actions"]
    if name not in [action["name"] for action in actions]:
        raise ApiError("ActionNotFoundException", f"Stage '{stage}' has no action '{name}'")
