"""CodePipeline: its operations, and the CloudFormation type of its resource."""

from embedded_aws.codepipeline import control, history, pipelines, stage_recovery, state
from embedded_aws.codepipeline.actions import invoke
from embedded_aws.core import runtime, type_table
from embedded_aws.core.api import Json
from embedded_aws.core.service import Service
from embedded_aws.core.type_table import Created

SERVICE = Service(
    "codepipeline",
    {
        "CreatePipeline": pipelines.create,
        "UpdatePipeline": pipelines.update,
        "GetPipeline": pipelines.get,
        "DeletePipeline": pipelines.delete,
        "ListPipelines": pipelines.listing,
        "TagResource": pipelines.tag,
        "UntagResource": pipelines.untag,
        "ListTagsForResource": pipelines.tags,
        "StartPipelineExecution": control.start,
        "StopPipelineExecution": control.stop,
        "PutApprovalResult": control.approve,
        "OverrideStageCondition": stage_recovery.override_condition,
        "RetryStageExecution": stage_recovery.retry,
        "RollbackStage": stage_recovery.roll_back,
        "DisableStageTransition": control.disable_transition,
        "EnableStageTransition": control.enable_transition,
        "GetPipelineState": state.get,
        "GetPipelineExecution": history.execution,
        "ListPipelineExecutions": history.listing,
        "ListActionExecutions": history.actions,
        "ListRuleExecutions": history.rules,
        "PutJobSuccessResult": invoke.succeed_job,
        "PutJobFailureResult": invoke.fail_job,
    },
)


def _request(name: str, properties: Json) -> Json:
    stores = (
        {"ArtifactStores": {s["Region"]: s["ArtifactStore"] for s in properties["ArtifactStores"]}}
        if properties.get("ArtifactStores")
        else {}
    )
    return {"Pipeline": {**properties, **stores, "Name": name}, "Tags": properties.get("Tags", [])}


def _create(logical_id: str, properties: Json, stack: str) -> Created:
    name = type_table.physical_name(stack, logical_id, properties.get("Name"))
    scope = type_table.scope()
    with runtime.current().store.transaction():  # a disabled transition holds the first execution, too
        type_table.perform(SERVICE, "CreatePipeline", _request(name, properties))
        for transition in properties.get("DisableInboundStageTransitions", []):
            control.disable_transition(
                scope,
                {
                    "pipelineName": name,
                    "stageName": transition["StageName"],
                    "reason": transition["Reason"],
                    "transitionType": "Inbound",
                },
            )
    return name, {"Version": "1"}


def _update(name: str, _old: Json, new: Json, stack: str) -> Created:
    if new.get("Name") and new["Name"] != name:
        return _create("", new, stack)
    pipeline = type_table.perform(SERVICE, "UpdatePipeline", _request(name, new))["pipeline"]
    if str(new.get("RestartExecutionOnUpdate", "false")).lower() == "true":
        control.start(type_table.scope(), {"name": name})
    return name, {"Version": str(pipeline["version"])}


def _delete(name: str, _properties: Json) -> None:
    pipelines.delete(type_table.scope(), {"name": name})


TYPES = {"AWS::CodePipeline::Pipeline": type_table.handlers(_create, _update, _delete)}
