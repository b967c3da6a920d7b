"""Pipelines: create, get, update, delete, list, tags."""

from typing import Any, cast

from embedded_aws.codepipeline import engine, executions, structure
from embedded_aws.codepipeline.records import Execution, PipelineRecord
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope
from embedded_aws.iam import role_sessions

_KIND = "pipeline"
_PAGE = 1000
_DEFAULTS: Json = {"executionMode": "SUPERSEDED", "pipelineType": "V1"}


def create(scope: Scope, request: Json) -> Json:
    """CreatePipeline. A new pipeline starts by itself.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html

    Raises:
        ApiError: There is one of this name.
    """
    pipeline = _checked(scope, request["pipeline"])
    store = runtime.current().store
    with store.transaction():
        if store.get(_KIND, scope.account, scope.region, pipeline["name"]):
            raise ApiError(
                "PipelineNameInUseException",
                f"A pipeline with the name '{pipeline['name']}' already exists in account '{scope.account}'",
            )
        record: PipelineRecord = {
            "account": scope.account,
            "region": scope.region,
            "pipeline": pipeline | {"version": 1},
            "created": api.now(),
            "updated": api.now(),
            "tags": request.get("tags", []),
            "transitions": {},
        }
        keep(scope, record)
        if all("defaultValue" in variable for variable in pipeline.get("variables", [])):
            begin(
                scope,
                record,
                {"triggerType": "CreatePipeline", "triggerDetail": f"arn:aws:iam::{scope.account}:root"},
            )
    return {"pipeline": record["pipeline"], "tags": record["tags"]}


def update(scope: Scope, request: Json) -> Json:
    """UpdatePipeline: the version goes up; executions under way keep the structure that they began with."""
    pipeline = _checked(scope, request["pipeline"])
    with runtime.current().store.transaction():
        record = find(scope, pipeline["name"])
        record["pipeline"] = pipeline | {"version": record["pipeline"]["version"] + 1}
        record["updated"] = api.now()
        keep(scope, record)
    return {"pipeline": record["pipeline"]}


def get(scope: Scope, request: Json) -> Json:
    """GetPipeline; only the current version is kept here.

    Raises:
        ApiError: There is no such version.
    """
    record = find(scope, request["name"])
    version = request.get("version")
    if version not in (None, record["pipeline"]["version"]):
        raise ApiError(
            "PipelineVersionNotFoundException",
            f"Version {version} of pipeline {request['name']} is not kept here.",
        )
    return {
        "pipeline": record["pipeline"],
        "metadata": {
            "pipelineArn": arn(scope, request["name"]),
            "created": record["created"],
            "updated": record["updated"],
        },
    }


def delete(scope: Scope, request: Json) -> Json:
    """DeletePipeline; what is not there is deleted, as on AWS."""
    store = runtime.current().store
    with store.transaction():
        for kind in (_KIND, executions.KIND, executions.ACTION_KIND, executions.RULE_KIND):
            store.delete(kind, scope.account, scope.region, request["name"])
    return {}


def listing(scope: Scope, request: Json) -> Json:
    """ListPipelines."""
    summaries = [
        record["pipeline"] | {"created": record["created"], "updated": record["updated"]}
        for record in runtime.current().store.all(_KIND, scope.account, scope.region)
    ]
    return api.page("pipelines", summaries, request, most=_PAGE)


def tag(_scope: Scope, request: Json) -> Json:
    """TagResource."""
    return _retag(request["resourceArn"], {entry["key"]: entry["value"] for entry in request["tags"]}, set())


def untag(_scope: Scope, request: Json) -> Json:
    """UntagResource."""
    return _retag(request["resourceArn"], {}, set(request["tagKeys"]))


def tags(_scope: Scope, request: Json) -> Json:
    """ListTagsForResource."""
    scope, name = _parts(request["resourceArn"])
    return {"tags": find(scope, name)["tags"]}


def begin(scope: Scope, record: PipelineRecord, trigger: dict[str, str], **more: Any) -> Execution:
    """Start an execution (`executions.new`) and move it as far as it goes; inside a transaction."""
    execution = executions.new(scope, record["pipeline"], trigger, **more)
    engine.advance(execution)
    return execution


def find(scope: Scope, name: str) -> PipelineRecord:
    """Read a pipeline's record.

    Raises:
        ApiError: PipelineNotFoundException.
    """
    record = runtime.current().store.get(_KIND, scope.account, scope.region, name)
    if record is None:
        raise ApiError(
            "PipelineNotFoundException",
            f"Account '{scope.account}' does not have a pipeline with name '{name}'",
        )
    return cast("PipelineRecord", record)


def keep(scope: Scope, record: PipelineRecord) -> None:
    """Write a pipeline's record."""
    runtime.current().store.put(_KIND, scope.account, scope.region, record["pipeline"]["name"], body=record)


def every() -> list[tuple[Scope, PipelineRecord]]:
    """Read the records, as `find` does, of all accounts and regions."""
    records = cast("list[PipelineRecord]", runtime.current().store.all(_KIND))
    return [(Scope(record["account"], record["region"]), record) for record in records]


def arn(scope: Scope, name: str) -> str:
    """Name a pipeline."""
    return scope.arn("codepipeline", name)


def place(pipeline: Json, name: str) -> int:
    """Find a stage's place.

    Raises:
        ApiError: StageNotFoundException.
    """
    names = [stage["name"] for stage in pipeline["stages"]]
    if name not in names:
        raise ApiError("StageNotFoundException", f"Pipeline '{pipeline['name']}' has no stage '{name}'")
    return names.index(name)


def _checked(scope: Scope, declared: Json) -> Json:
    pipeline = {**_DEFAULTS, **{name: value for name, value in declared.items() if value is not None}}
    pipeline["stages"] = [_completed(stage) for stage in pipeline["stages"]]
    structure.check(pipeline, scope)
    role_sessions.check_trust(scope, pipeline["roleArn"], "CodePipeline", "InvalidStructureException")
    return pipeline


def _completed(stage: Json) -> Json:
    return stage | {
        "actions": [
            {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": [], **action}
            for action in stage["actions"]
        ]
    }


def _retag(resource: str, more: dict[str, str], fewer: set[str]) -> Json:
    scope, name = _parts(resource)
    with runtime.current().store.transaction():
        record = find(scope, name)
        tags_by_key = {entry["key"]: entry["value"] for entry in record["tags"]} | more
        record["tags"] = [
            {"key": key, "value": value} for key, value in tags_by_key.items() if key not in fewer
        ]
        keep(scope, record)
    return {}


def _parts(resource: str) -> tuple[Scope, str]:
    parts = resource.split(":", 5)
    if len(parts) != 6 or parts[2] != "codepipeline":  # noqa: PLR2004 - the parts of an ARN
        raise ApiError("InvalidArnException", f"Invalid resource ARN: {resource}")
    return Scope(parts[4], parts[3]), parts[5]
