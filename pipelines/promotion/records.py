"""What executions of the release pipeline recorded: what staging ran, and what an approval was about.

A build that records something writes a file into its artifact and exports its SHA-256 as a variable. The file
lies in a bucket; the variable is CodePipeline's own. So the file is read by the execution that made it, and
believed only when its digest is that variable's. Nothing here rests on how a configuration's `#{…}` is filled
in, which in a rollback may be by the old execution or by the new one.

The record of a review is the state of production's stacks before and after, and every change between. It
outlives its change sets, which CloudFormation deletes when another of the stack is executed.

Source: CodePipeline API reference, GetPipelineState, ListActionExecutions.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST
from pipelines.evidence import stack_changes
from pipelines.evidence.answers import given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.aws.accounts import Aws
    from pipelines.evidence.answers import Answer
    from pipelines.evidence.stack_changes import StackChanges

Json = dict[str, Any]
RECORD_STAGING: Final = "Record"
"""The action that records what staging ran."""
REVIEW: Final = "Evidence"
"""The action that records what was reviewed; it runs again when an approval is asked for again."""
VARIABLE: Final = "RECORD"
"""The variable that holds the digest of a record."""
_FILE: Final = "record.json"
_FAILED: Final = "FailedPipelineExecutionId:"
"""How the trigger of an automatic rollback names the failure (API reference, ExecutionTrigger)."""
_UNDER_WAY: Final = {"InProgress", "Stopping"}


@dataclass(frozen=True, slots=True)
class Run:
    """What is under way in a stage.

    Attributes:
        release: The execution whose release it is about: in a rollback, the one that it goes back to.
        execution: The execution itself.
        rollback: Whether it is a rollback.
        under_way: Whether it did not end yet.
        failed: Of an automatic rollback, the execution whose failure started it.
    """

    release: str
    execution: str
    rollback: bool
    under_way: bool
    failed: str = ""


def write(record: Json) -> str:
    """Write a record where the build's artifact takes it from, and return its SHA-256 in hexadecimal."""
    content = json.dumps(record, indent=1, sort_keys=True).encode()
    folder = DIST / "record"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_bytes(content)
    (folder / "digest.txt").write_text(f"{digest(content)}\n")
    return digest(content)


def digest(record: bytes) -> str:
    """Return the SHA-256 of a record's bytes, in hexadecimal."""
    return hashlib.sha256(record).hexdigest()


def read(tools: Aws, pipeline: str, execution: str, action: str) -> Json:
    """Return what an action of an execution recorded last, as `write` was given it.

    Raises:
        Refused: It recorded nothing, or its artifact is not what it recorded.
    """
    output = _output(tools, pipeline, execution, action)
    expected = output.get("outputVariables", {}).get(VARIABLE)
    if not expected:
        raise Refused(f"{action} of execution {execution} recorded nothing.")
    for artifact in output.get("outputArtifacts", []):
        place = artifact["s3location"]
        body = tools.s3.get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
        content = _member(body)
        if content is not None and digest(content) == expected:
            record: Json = json.loads(content)
            return record
    raise Refused(
        f"The artifact of {action} is not what execution {execution} recorded: its digest is not {expected}.",
        "Somebody changed it in the artifact bucket. Find out who, and release again.",
    )


def run_in(tools: Aws, pipeline: str, stage: str) -> Run | None:
    """Return what is under way in a stage, or was last; None when nothing ever was."""
    states = tools.client("codepipeline").get_pipeline_state(name=pipeline)["stageStates"]
    latest = next((state.get("latestExecution") for state in states if state["stageName"] == stage), None)
    if latest is None:
        return None
    execution, under_way = str(latest["pipelineExecutionId"]), latest["status"] in _UNDER_WAY
    if latest.get("type") != "ROLLBACK":
        return Run(execution, execution, rollback=False, under_way=under_way)
    described = tools.client("codepipeline").get_pipeline_execution(
        pipelineName=pipeline, pipelineExecutionId=execution
    )["pipelineExecution"]
    target = str(described["rollbackMetadata"]["rollbackTargetPipelineExecutionId"])
    detail = described.get("trigger", {}).get("triggerDetail", "")
    failed = detail.removeprefix(_FAILED) if detail.startswith(_FAILED) else ""
    return Run(target, execution, rollback=True, under_way=under_way, failed=failed)


def answers(tools: Aws, pipeline: str, execution: str) -> list[Answer]:
    """Return what people answered when an execution was approved, oldest first."""
    return given(_actions(tools, pipeline, execution))


def executed(tools: Aws, pipeline: str, execution: str, stage: str) -> bool:
    """Return whether an execution began to deploy in a stage: whether it executed a change set."""
    return any(
        detail["stageName"] == stage
        and detail["input"].get("configuration", {}).get("ActionMode") == "CHANGE_SET_EXECUTE"
        for detail in _actions(tools, pipeline, execution)
    )


def _output(tools: Aws, pipeline: str, execution: str, action: str) -> Json:
    done = [
        detail
        for detail in _actions(tools, pipeline, execution)
        if detail["actionName"] == action and detail["status"] == "Succeeded"
    ]
    if not done:
        raise Refused(f"{action} did not succeed in execution {execution} of {pipeline}.")
    output: Json = max(done, key=lambda detail: detail["startTime"])["output"]
    return output


def _actions(tools: Aws, pipeline: str, execution: str) -> Iterator[Json]:
    pages = tools.client("codepipeline").get_paginator("list_action_executions")
    for page in pages.paginate(pipelineName=pipeline, filter={"pipelineExecutionId": execution}):
        yield from page["actionExecutionDetails"]


def _member(body: bytes) -> bytes | None:
    """Return the record in an artifact, which is a zip of the build's folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if name.rpartition("/")[2] == _FILE]
            return archive.read(names[0]) if names else None
    except (zipfile.BadZipFile, zlib.error):
        return None


def review(aws: Aws, reviewed: Iterable[StackChanges]) -> Json:
    """Return the record of reviewed changes, by stack: `before`, `after` and `changes`."""
    return {
        changes.stack: {
            "before": state(aws, changes.stack),
            "after": after(changes),
            "changes": [
                asdict(change) | {"properties": list(change.properties)} for change in changes.changes
            ],
        }
        for changes in reviewed
    }


def state(aws: Aws, stack: str) -> Json:
    """Return a stack as it is: its `template` (SHA-256 of its canonical JSON), `parameters` and `tags`.

    A stack that does not exist yet has none of them.
    """
    status = stacks.status(aws, stack)
    if status in {None, "REVIEW_IN_PROGRESS"}:
        return {"template": "", "parameters": {}, "tags": {}}
    described: Any = stacks.described(aws, stack)
    return {
        "template": template_digest(stack_changes.template(aws, stack)),
        "parameters": {
            p["ParameterKey"]: p.get("ParameterValue", "") for p in described.get("Parameters", [])
        },
        "tags": {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    }


def after(changes: StackChanges) -> Json:
    """Return a stack as a change set would leave it, in the form of `state`."""
    return {
        "template": template_digest(changes.after),
        "parameters": changes.parameters,
        "tags": changes.tags,
    }


def template_digest(template: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a template's canonical JSON, in which neither order nor white space counts."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def moved(recorded: Mapping[str, Any], aws: Aws) -> list[str]:
    """Return what of production's stacks is not as it was when it was reviewed, in words."""
    return [
        f"{stack}: {difference}"
        for stack, expected in recorded.items()
        for difference in state_differences(expected["before"], state(aws, stack))
    ]


def state_differences(expected: Json, present: Json) -> list[str]:
    """Return in what two states of a stack differ, in words."""
    wrong = [] if expected["template"] == present["template"] else ["another template"]
    for kind in ("parameters", "tags"):
        names = expected[kind].keys() | present[kind].keys()
        other = sorted(name for name in names if expected[kind].get(name) != present[kind].get(name))
        wrong += [f"other {kind}: {', '.join(other)}"] if other else []
    return wrong


def change_differences(expected: Json, prepared: StackChanges) -> list[str]:
    """Return in what a prepared change set is not the reviewed one, in words."""
    wrong = state_differences(expected["after"], after(prepared))
    reviewed = {json.dumps(change, sort_keys=True): change["resource"] for change in expected["changes"]}
    ready = {
        json.dumps(asdict(change) | {"properties": list(change.properties)}, sort_keys=True): change.resource
        for change in prepared.changes
    }
    other = sorted({(reviewed | ready)[text] for text in reviewed.keys() ^ ready.keys()})
    return [*wrong, *([f"other changes, to {', '.join(other)}"] if other else [])]
