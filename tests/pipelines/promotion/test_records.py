"""Records of an execution: believed by the digest that CodePipeline keeps, found by who made them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.refusals import Refused
from pipelines.promotion import records

if TYPE_CHECKING:
    from pathlib import Path

_BEGAN = datetime(2026, 11, 28, tzinfo=UTC)


class Tools:
    """A tools account with one pipeline: what its actions did, and what lies in its artifact bucket."""

    def __init__(self) -> None:
        self.actions: list[dict[str, Any]] = []
        self.stage: dict[str, Any] = {"stageName": "Production"}
        self.executions: dict[str, Any] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.s3 = SimpleNamespace(get_object=self._get_object)
        self._pipelines = SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=self._actions_of),
            get_pipeline_state=lambda name: {"stageStates": [self.stage], "name": name},
            get_pipeline_execution=lambda pipelineName, pipelineExecutionId: {  # noqa: N803 - the API's names
                "pipelineExecution": self.executions[pipelineExecutionId],
                "name": pipelineName,
            },
        )

    def client(self, _service: str) -> Any:
        return self._pipelines

    def done(self, execution: str, action: str, record: dict[str, Any], status: str = "Succeeded") -> str:
        """Let an action have recorded something, and return where its artifact lies."""
        content = json.dumps(record, indent=1, sort_keys=True).encode()
        key = f"artifact-{len(self.actions)}"
        self.objects["artifacts", key] = _zipped(content)
        self.actions.append(
            {
                "pipelineExecutionId": execution,
                "actionName": action,
                "status": status,
                "startTime": _BEGAN + timedelta(minutes=len(self.actions)),
                "output": {
                    "outputVariables": {"RECORD": records.digest(content)},
                    "outputArtifacts": [{"s3location": {"bucket": "artifacts", "key": key}}],
                },
            }
        )
        return key

    def _actions_of(self, **request: Any) -> list[dict[str, Any]]:
        wanted = request["filter"]["pipelineExecutionId"]
        assert request["pipelineName"] == "releases"
        return [{"actionExecutionDetails": [a for a in self.actions if a["pipelineExecutionId"] == wanted]}]

    def _get_object(self, **request: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[request["Bucket"], request["Key"]])}


def _zipped(content: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("dist/record/record.json", content)
    return body.getvalue()


def _read(tools: Any, execution: str, action: str = "Evidence") -> dict[str, Any]:
    return records.read(tools, "releases", execution, action)


def test_each_release_is_judged_by_what_its_own_execution_recorded() -> None:
    # Given two releases that are under way
    tools = Tools()
    tools.done("F", "Evidence", {"stacks": "of F"})
    tools.done("G", "Evidence", {"stacks": "of G"})
    # Then each has its own record
    assert _read(tools, "F") == {"stacks": "of F"}
    assert _read(tools, "G") == {"stacks": "of G"}


def test_the_last_review_counts_and_one_that_failed_does_not() -> None:
    tools = Tools()
    tools.done("F", "Evidence", {"review": 1})
    tools.done("F", "Evidence", {"review": 2})
    tools.done("F", "Evidence", {"review": 3}, status="Failed")
    assert _read(tools, "F") == {"review": 2}


def test_without_a_record_nothing_goes_on() -> None:
    tools = Tools()
    with pytest.raises(Refused, match="Evidence did not succeed in execution F"):
        _read(tools, "F")
    tools.done("F", "Evidence", {})
    tools.actions[0]["output"]["outputVariables"] = {}
    with pytest.raises(Refused, match="recorded nothing"):
        _read(tools, "F")


@settings(max_examples=80, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_of_a_record_in_the_bucket_is_found(position: float, flip: int) -> None:
    # Given a record in the artifact bucket
    tools = Tools()
    content = json.dumps({"staging": {"DataApi code": "1" * 64}}, indent=1, sort_keys=True).encode()
    key = tools.done("F", "Record", json.loads(content))
    # When somebody who may write there changes any byte of it
    changed = bytearray(content)
    changed[int(position * len(changed))] ^= flip
    tools.objects["artifacts", key] = _zipped(bytes(changed))
    # Then it is refused
    with pytest.raises(Refused, match="is not what execution F recorded"):
        _read(tools, "F", "Record")


def test_an_artifact_that_is_no_archive_is_refused() -> None:
    tools = Tools()
    tools.objects["artifacts", tools.done("F", "Record", {})] = b"gone"
    with pytest.raises(Refused, match="is not what execution F recorded"):
        _read(tools, "F", "Record")


@pytest.mark.parametrize("status", ["InProgress", "Succeeded"])
def test_a_rollback_is_about_the_release_that_it_goes_back_to(status: str) -> None:
    # Given a rollback, whose own id says nothing of the release
    tools = Tools()
    tools.stage["latestExecution"] = {"pipelineExecutionId": "back", "status": status, "type": "ROLLBACK"}
    tools.executions["back"] = {"rollbackMetadata": {"rollbackTargetPipelineExecutionId": "E"}}
    # Then its release is its target, whatever the variables of its actions say
    run = records.run_in(tools, "releases", "Production")  # type: ignore[arg-type]  # as far as it is asked
    assert run == records.Run("E", "back", rollback=True, under_way=status == "InProgress")


def test_an_automatic_rollback_names_the_failure_and_one_of_a_person_names_none() -> None:
    # Source: CodePipeline API reference, ExecutionTrigger
    tools = Tools()
    tools.stage["latestExecution"] = {
        "pipelineExecutionId": "back",
        "status": "InProgress",
        "type": "ROLLBACK",
    }
    for detail, failed in (("FailedPipelineExecutionId:F", "F"), ("arn:aws:iam::444444444444:user/ada", "")):
        tools.executions["back"] = {
            "rollbackMetadata": {"rollbackTargetPipelineExecutionId": "E"},
            "trigger": {"triggerDetail": detail},
        }
        run = records.run_in(tools, "releases", "Production")  # type: ignore[arg-type]  # as above
        assert run is not None
        assert run.failed == failed


def test_only_an_executed_change_set_of_the_stage_counts_as_a_change() -> None:
    # Given a release that deployed to staging, and prepared production's change set
    tools = Tools()
    there: Any = tools
    for stage, mode in (("Staging", "CHANGE_SET_EXECUTE"), ("Production", "CHANGE_SET_REPLACE")):
        tools.done("F", "Deploy", {})
        tools.actions[-1] |= {"stageName": stage, "input": {"configuration": {"ActionMode": mode}}}
    assert not records.executed(there, "releases", "F", "Production")
    # When it begins to execute it, then production may have changed, even if that failed
    tools.done("F", "Deploy-network", {}, status="Failed")
    executed = {"configuration": {"ActionMode": "CHANGE_SET_EXECUTE"}}
    tools.actions[-1] |= {"stageName": "Production", "input": executed}
    assert records.executed(there, "releases", "F", "Production")


def test_a_stage_that_nothing_was_in_holds_nothing() -> None:
    assert records.run_in(Tools(), "releases", "Production") is None  # type: ignore[arg-type]  # as above


def test_what_is_written_has_the_digest_that_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a checkout in which nothing was built
    monkeypatch.setattr(records, "DIST", tmp_path / "dist")
    exported = records.write({"b": 1, "a": 2})
    content = (tmp_path / "dist" / "record" / "record.json").read_bytes()
    assert records.digest(content) == exported
    assert (tmp_path / "dist" / "record" / "digest.txt").read_text().strip() == exported
    # And the same record has the same digest, in whatever order it was put together
    assert records.write({"a": 2, "b": 1}) == exported
