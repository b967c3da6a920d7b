"""The calls that recover a stage: retry it, roll it back to an earlier execution, override its condition."""

from embedded_aws.codepipeline import conditions, engine, executions, pipelines, stages
from embedded_aws.codepipeline.records import Execution, PipelineRecord
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions


def roll_back(scope: Scope, request: Json) -> Json:
    """RollbackStage: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html.

    Raises:
        ApiError: This stage, this mode or this target cannot be rolled back to.
    """
    name, stage = request["pipelineName"], request["stageName"]
    with runtime.current().store.transaction():
        pipeline = pipelines.find(scope, name)["pipeline"]
        number = pipelines.place(pipeline, stage)
        target = executions.find(scope.account, scope.region, name, request["targetPipelineExecutionId"])
        if target is None:
            raise ApiError(
                "PipelineExecutionNotFoundException",
                f"Execution {request['targetPipelineExecutionId']} was not found",
            )
        if number == 0:
            raise ApiError("UnableToRollbackStageException", "A source stage cannot be rolled back.")
        if pipeline["executionMode"] == "PARALLEL":
            raise ApiError(
                "UnableToRollbackStageException",
                "Stage rollback is not available for pipelines in PARALLEL mode.",
            )
        if target["type"] == "ROLLBACK":
            raise ApiError(
                "UnableToRollbackStageException",
                "The target execution is a rollback; roll back to a standard execution.",
            )
        if executions.status_in(target, stage) != "Succeeded":
            raise ApiError(
                "UnableToRollbackStageException", f"The target execution did not succeed in stage {stage}."
            )
        if target["pipelineVersion"] != pipeline["version"]:
            raise ApiError(
                "PipelineExecutionOutdatedException",
                "The target execution was started with an earlier version of the pipeline.",
            )
        replaced = stages.latest(executions.of_pipeline(scope, name), stage)
        execution = engine.start_rollback(
            target, replaced, stage, trigger="ManualRollback", detail=role_sessions.caller(scope)
        )
    return {"pipelineExecutionId": execution["id"]}


def retry(scope: Scope, request: Json) -> Json:
    """RetryStageExecution: the latest failed execution of a stage goes on in it.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html

    Raises:
        ApiError: There is no such execution.
    """
    name, stage = request["pipelineName"], request["stageName"]
    with runtime.current().store.transaction():
        record = pipelines.find(scope, name)
        pipelines.place(record["pipeline"], stage)
        execution = executions.find(scope.account, scope.region, name, request["pipelineExecutionId"])
        if execution is None:
            raise ApiError(
                "PipelineExecutionNotFoundException",
                f"Execution {request['pipelineExecutionId']} was not found",
            )
        _retryable(scope, record, execution, stage)
        run = executions.run_of(execution, stage)
        retries = run["retry"].get("manualStageRetryAttempt", 0)
        run["retry"] |= {"manualStageRetryAttempt": retries + 1, "latestRetryTrigger": "ManualStageRetry"}
        conditions.restart_stage(execution, run, request["retryMode"], engine.ACTS)
        engine.advance(execution)
    return {"pipelineExecutionId": execution["id"]}


def _retryable(scope: Scope, record: PipelineRecord, execution: Execution, stage: str) -> None:
    status = executions.status_in(execution, stage)
    if status not in ("Failed", "Stopped") or execution["status"] in executions.UNFINISHED:
        raise ApiError("StageNotRetryableException", f"Stage {stage} of this execution did not fail.")
    if execution["pipelineVersion"] != record["pipeline"]["version"]:
        raise ApiError("StageNotRetryableException", "The pipeline was changed after this execution began.")
    latest = stages.latest(executions.of_pipeline(scope, record["pipeline"]["name"]), stage)
    if execution["mode"] != "PARALLEL" and latest is not None and latest["id"] != execution["id"]:
        raise ApiError(
            "NotLatestPipelineExecutionException",
            "The stage has failed in a later run of the pipeline and the pipelineExecutionId associated "
            "with the request is out of date.",
        )


def override_condition(scope: Scope, request: Json) -> Json:
    """OverrideStageCondition: a stage goes on without the condition that is being checked.

    What becomes of a condition that has failed already is not emulated.

    Raises:
        ApiError: The stage's condition is not being checked for this execution.
    """
    kind = {"BEFORE_ENTRY": "beforeEntry", "ON_SUCCESS": "onSuccess"}[request["conditionType"]]
    with runtime.current().store.transaction():
        record, stage = pipelines.find(scope, request["pipelineName"]), request["stageName"]
        pipelines.place(record["pipeline"], stage)
        execution = executions.find(
            scope.account, scope.region, request["pipelineName"], request["pipelineExecutionId"]
        )
        run = execution["runs"].get(stage) if execution else None
        state = run["conditions"].get(kind) if run else None
        if execution is None or state is None or state["status"] != "InProgress":
            raise ApiError(
                "ConditionNotOverridableException",
                "Unable to override because the condition does not allow overrides.",
            )
        by = role_sessions.caller(scope)
        state |= {"status": "Overridden", "lastStatusChange": api.now(), "summary": f"Overridden by {by}"}
        engine.advance(execution)
    return {}
