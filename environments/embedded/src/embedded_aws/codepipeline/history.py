"""What happened: executions of a pipeline, their actions and rules, newest first."""

from typing import cast

from embedded_aws.codepipeline import executions, pipelines
from embedded_aws.codepipeline.records import ActionRun, Artifact, Execution, RuleRun
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope


def execution(scope: Scope, request: Json) -> Json:
    """GetPipelineExecution.

    Raises:
        ApiError: There is no such execution.
    """
    pipelines.find(scope, request["pipelineName"])
    record = executions.find(
        scope.account, scope.region, request["pipelineName"], request["pipelineExecutionId"]
    )
    if record is None:
        raise ApiError(
            "PipelineExecutionNotFoundException", f"Execution {request['pipelineExecutionId']} was not found"
        )
    declared = [variable["name"] for variable in record["declaration"].get("variables", [])]
    return {
        "pipelineExecution": {
            **_common(record),
            "pipelineName": record["pipelineName"],
            "pipelineVersion": record["pipelineVersion"],
            "artifactRevisions": record["revisions"],
            "variables": [{"name": name, "resolvedValue": record["variables"][name]} for name in declared],
        }
    }


def listing(scope: Scope, request: Json) -> Json:
    """ListPipelineExecutions."""
    pipelines.find(scope, request["pipelineName"])
    newest_first = executions.of_pipeline(scope, request["pipelineName"])[::-1]
    stage = ((request.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
    if stage:
        newest_first = [each for each in newest_first if executions.status_in(each, stage) == "Succeeded"]
    return api.page("pipelineExecutionSummaries", [_summary(each) for each in newest_first], request)


def actions(scope: Scope, request: Json) -> Json:
    """ListActionExecutions."""
    pipelines.find(scope, request["pipelineName"])
    runs = cast("list[ActionRun]", _records(scope, request, executions.ACTION_KIND))
    return api.page("actionExecutionDetails", [_action(run) for run in runs], request)


def rules(scope: Scope, request: Json) -> Json:
    """ListRuleExecutions."""
    pipelines.find(scope, request["pipelineName"])
    records = cast("list[RuleRun]", _records(scope, request, executions.RULE_KIND))
    return api.page("ruleExecutionDetails", [_rule(record) for record in records], request)


def _records(scope: Scope, request: Json, kind: str) -> list[Json]:
    """Read the records of the execution that is asked for, or of all, newest first."""
    wanted = request.get("filter") or {}
    execution_id = wanted.get("pipelineExecutionId") or (wanted.get("latestInPipelineExecution") or {}).get(
        "pipelineExecutionId"
    )
    where = (scope.account, scope.region, request["pipelineName"], *([execution_id] if execution_id else []))
    return runtime.current().store.all(kind, *where)[::-1]


def _common(record: Execution) -> Json:
    target = (
        {"rollbackTargetPipelineExecutionId": record["rollbackTarget"]} if record["rollbackTarget"] else None
    )
    return {
        "pipelineExecutionId": record["id"],
        "status": record["status"],
        "statusSummary": record.get("statusSummary"),
        "trigger": record["trigger"],
        "executionMode": record["mode"],
        "executionType": record["type"],
        "rollbackMetadata": target,
    }


def _summary(record: Execution) -> Json:
    return {
        **_common(record),
        "startTime": record["start"],
        "lastUpdateTime": record["updated"],
        "sourceRevisions": record["revisions"],
        "stopTrigger": record.get("stopTrigger"),
    }


def _action(run: ActionRun) -> Json:
    declaration = run["declaration"]
    return {
        "pipelineExecutionId": run["pipelineExecutionId"],
        "actionExecutionId": run["id"],
        "pipelineVersion": run["pipelineVersion"],
        "stageName": run["stageName"],
        "actionName": run["actionName"],
        "startTime": run["start"],
        "lastUpdateTime": run["updated"],
        "updatedBy": run.get("updatedBy"),
        "status": run["status"],
        "input": {
            "actionTypeId": declaration["actionTypeId"],
            "configuration": declaration["configuration"],
            "resolvedConfiguration": run.get("configuration"),
            "roleArn": declaration.get("roleArn"),
            "region": declaration.get("region") or run["region"],
            "inputArtifacts": [_artifact(artifact) for artifact in run["inputs"]],
            "namespace": declaration.get("namespace"),
        },
        "output": {
            "outputArtifacts": [_artifact(artifact) for artifact in run["outputs"]],
            "executionResult": {
                "externalExecutionId": run.get("externalExecutionId"),
                "externalExecutionSummary": run.get("summary"),
                "externalExecutionUrl": run.get("externalExecutionUrl"),
                "errorDetails": run.get("error"),
            },
            "outputVariables": run["variables"],
        },
    }


def _rule(record: RuleRun) -> Json:
    declaration = record["declaration"]
    return {
        "pipelineExecutionId": record["pipelineExecutionId"],
        "ruleExecutionId": record["id"],
        "pipelineVersion": record["pipelineVersion"],
        "stageName": record["stageName"],
        "ruleName": record["ruleName"],
        "startTime": record["start"],
        "lastUpdateTime": record["updated"],
        "status": record["status"],
        "input": {
            "ruleTypeId": declaration["ruleTypeId"],
            "configuration": declaration.get("configuration"),
            "resolvedConfiguration": record.get("configuration"),
        },
        "output": {"executionResult": {"externalExecutionSummary": record["summary"]}},
    }


def _artifact(artifact: Artifact) -> Json:
    return {"name": artifact["name"], "s3location": artifact["s3location"]}
