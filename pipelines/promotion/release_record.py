"""What an execution of the release pipeline recorded, as CodePipeline keeps it.

A build that records something writes a file into its artifact and exports its SHA-256 as a variable. The file
lies in a bucket; the variable is CodePipeline's own. So the file is read by the execution that made it, and
believed only when its digest is that variable's. Nothing here rests on how a configuration's `#{…}` is filled
in, which in a rollback may be by the old execution or by the new one.

Source: CodePipeline API reference, GetPipelineState, ListActionExecutions.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
RECORD_STAGING: Final = "Record"
"""The action that records what staging ran."""
REVIEW: Final = "Evidence"
"""The action that records what was reviewed; it runs again when an approval is asked for again."""
VARIABLE: Final = "RECORD"
"""The variable that holds the digest of a record."""
_FILE: Final = "record.json"
_UNDER_WAY: Final = {"InProgress", "Stopping"}


@dataclass(frozen=True, slots=True)
class Run:
    """What is under way in a stage.

    Attributes:
        release: The execution whose release it is about: in a rollback, the one that it goes back to.
        execution: The execution itself.
        rollback: Whether it is a rollback.
        under_way: Whether it did not end yet.
    """

    release: str
    execution: str
    rollback: bool
    under_way: bool


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
    """Return what an action of an execution recorded last.

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
    return Run(target, execution, rollback=True, under_way=under_way)


def _output(tools: Aws, pipeline: str, execution: str, action: str) -> Json:
    pages = tools.client("codepipeline").get_paginator("list_action_executions")
    done = [
        detail
        for page in pages.paginate(pipelineName=pipeline, filter={"pipelineExecutionId": execution})
        for detail in page["actionExecutionDetails"]
        if detail["actionName"] == action and detail["status"] == "Succeeded"
    ]
    if not done:
        raise Refused(f"{action} did not succeed in execution {execution} of {pipeline}.")
    output: Json = max(done, key=lambda detail: detail["startTime"])["output"]
    return output


def _member(body: bytes) -> bytes | None:
    """Return the record in an artifact, which is a zip of the build's folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if name.rpartition("/")[2] == _FILE]
            return archive.read(names[0]) if names else None
    except (zipfile.BadZipFile, zlib.error):
        return None
