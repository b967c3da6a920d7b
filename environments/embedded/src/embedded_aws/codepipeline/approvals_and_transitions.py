"""The calls of approvals, and of transitions between stages."""

from embedded_aws.codepipeline import action_runs, engine, executions, pipelines
from embedded_aws.core import clock, runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions


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
        for run in action_runs.of_pipeline(scope.account, scope.region, name)
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
    result: Json = {
        "status": "Succeeded" if approved else "Failed",
        "summary": summary,
        "updatedBy": role_sessions.caller(scope),
    }
    if not approved:
        result["error"] = {"code": "JobFailed", "message": f"Rejected by {result['updatedBy']}: {summary}"}
    execution = executions.find(scope.account, scope.region, name, runs[0]["pipelineExecutionId"])
    if execution is not None:
        engine.action_finished(execution, runs[0]["id"], result)
    return {"approvedAt": clock.now()}


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
            who = {"lastChangedBy": role_sessions.caller(scope), "lastChangedAt": clock.now()}
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
