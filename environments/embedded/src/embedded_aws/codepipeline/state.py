"""GetPipelineState: each stage, who is in it, who waits for it, and how its actions went last."""

from embedded_aws.codepipeline import executions, pipelines, stages
from embedded_aws.codepipeline.records import ActionRun, ConditionState, Execution
from embedded_aws.core import runtime
from embedded_aws.core.api import Json, Scope

_CONDITIONS = {
    "beforeEntry": "beforeEntryConditionState",
    "onSuccess": "onSuccessConditionState",
    "onFailure": "onFailureConditionState",
}


def get(scope: Scope, request: Json) -> Json:
    """GetPipelineState."""
    with runtime.current().store.transaction():
        record = pipelines.find(scope, request["name"])
        pipeline = record["pipeline"]
        every_execution = executions.of_pipeline(scope, request["name"])
        read: dict[str, list[ActionRun]] = {}
        runs = {stage["name"]: _last_runs(every_execution, stage, read) for stage in pipeline["stages"]}
    return {
        "pipelineName": request["name"],
        "pipelineVersion": pipeline["version"],
        "created": record["created"],
        "updated": record["updated"],
        "stageStates": [
            _stage(pipeline, stage, record["transitions"], every_execution, runs[stage["name"]])
            for stage in pipeline["stages"]
        ],
    }


def _last_runs(
    candidates: list[Execution], stage: Json, read: dict[str, list[ActionRun]]
) -> dict[str, ActionRun]:
    """Read how each action of a stage went last: in an earlier execution where the last is not so far yet.

    What earlier ones did is left unread: who follows an execution looks again and again. `read` holds the
    executions that were read for another stage.
    """
    wanted = {action["name"] for action in stage["actions"]}
    last: dict[str, ActionRun] = {}
    for execution in stages.entered(candidates, stage["name"]):
        if execution["id"] not in read:
            read[execution["id"]] = executions.actions_of(execution)[::-1]
        for run in read[execution["id"]]:
            if run["stageName"] == stage["name"] and run["actionName"] in wanted:
                last.setdefault(run["actionName"], run)
        if wanted == last.keys():
            break
    return last


def _stage(
    pipeline: Json, stage: Json, transitions: Json, candidates: list[Execution], runs: dict[str, ActionRun]
) -> Json:
    name = stage["name"]
    waiting = [e for e in candidates if executions.waits(e) and executions.stage_of(e)["name"] == name]
    inbound = [_execution(execution, "InProgress") for execution in waiting]
    state: Json = {
        "stageName": name,
        "inboundExecution": inbound[-1] if inbound else None,
        "inboundExecutions": inbound,
        "inboundTransitionState": transitions.get(name, {"enabled": True}),
        "actionStates": [_action(pipeline, action, runs.get(action["name"])) for action in stage["actions"]],
    }
    last = stages.latest(candidates, name)
    if last is not None:
        run = executions.run_of(last, name)
        status = (
            "Stopping" if last["status"] == "Stopping" and run["status"] == "InProgress" else run["status"]
        )
        state["latestExecution"] = _execution(last, status)
        state["retryStageMetadata"] = run["retry"] or None
        for kind, field in _CONDITIONS.items():
            if kind in run["conditions"]:
                state[field] = _condition(run["conditions"][kind])
    return state


def _execution(execution: Execution, status: str | None) -> Json:
    return {"pipelineExecutionId": execution["id"], "status": status, "type": execution["type"]}


def _condition(state: ConditionState) -> Json:
    latest = {
        "status": state["status"],
        "summary": state.get("summary"),
        "lastStatusChange": state["lastStatusChange"],
    }
    rules = [
        {
            "ruleName": rule["ruleName"],
            "latestExecution": {
                "ruleExecutionId": rule["id"],
                "status": rule["status"],
                "summary": rule["summary"],
                "lastStatusChange": rule["updated"],
            },
        }
        for rule in state["rules"]
    ]
    return {"latestExecution": latest, "conditionStates": [{"latestExecution": latest, "ruleStates": rules}]}


def _action(pipeline: Json, action: Json, run: ActionRun | None) -> Json:
    state: Json = {"actionName": action["name"]}
    if run is None:
        return state
    parallel = pipeline["executionMode"] == "PARALLEL"
    state["latestExecution"] = {
        "actionExecutionId": run["id"],
        "status": run["status"],
        "summary": run.get("summary"),
        "lastStatusChange": run["updated"],
        "lastUpdatedBy": run.get("updatedBy"),
        "externalExecutionId": run.get("externalExecutionId"),
        "externalExecutionUrl": run.get("externalExecutionUrl"),
        "errorDetails": run.get("error"),
        # In PARALLEL mode the token is asked of list-action-executions instead (API_PutApprovalResult).
        "token": run.get("token") if run["status"] == "InProgress" and not parallel else None,
    }
    if run.get("revision"):
        revision = run["revision"]
        state["currentRevision"] = {
            "revisionId": revision["revisionId"],
            "revisionChangeId": revision["revisionId"],
            "created": revision["created"],
        }
        state["revisionUrl"] = revision["revisionUrl"]
    return state
