"""AWS::CodePipeline::Pipeline."""

from embedded_aws.codepipeline import control, pipelines
from embedded_aws.codepipeline.service import SERVICE
from embedded_aws.core import runtime, type_table
from embedded_aws.core.api import Json
from embedded_aws.core.type_table import Created


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
