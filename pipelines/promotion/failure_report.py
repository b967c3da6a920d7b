"""The report on a release that failed: what happened, what is running now, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pipelines.promotion.execution import ENDED, pipeline_steps

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.execution import Step

_LINES: Final = 40
_NOT_APPROVED: Final = "Approve"
_CHANGES: Final = {"Staging": "Staging", "Production": "Production"}


@dataclass(frozen=True, slots=True)
class BuildLog:
    """Where a build's log is, and how it ended.

    Attributes:
        group: Its log group.
        stream: Its log stream.
        end: Its last lines, kept for when the embedded AWS is gone; empty where the reader may not read them.
    """

    group: str
    stream: str
    end: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailureReport:
    """How an execution failed, and what was done about it.

    Attributes:
        execution: The execution.
        commit: The commit that it promoted.
        stage: The stage that failed.
        action: The action that failed there; nothing where a condition did, as the health alarm.
        why: Its message.
        rollback: The execution that took the stage back, if one did.
        restored: How that ended; nothing when it still runs or when there is none.
        log: The build's log, where a build failed.
        which: The pipeline by the word that people use.
    """

    execution: str
    commit: str
    stage: str
    action: str
    why: str
    rollback: str
    restored: str
    log: BuildLog | None = None
    which: str = "release"

    def sentences(self) -> list[str]:
        """Return the report in sentences: what happened, what is running, what to do."""
        place = self.stage if self.action in {"", self.stage} else f"{self.stage}: {self.action}"
        why = self.why.partition("\n")[0]  # the failed checks follow in lines of their own
        sentences = [f"{self.commit[:12]} failed in {place}. {why}", self._serves(), self._todo()]
        if self.log:
            sentences.append(
                f"Its log: aws logs get-log-events --log-group-name {self.log.group}"
                f" --log-stream-name {self.log.stream}"
            )
        return sentences

    def _serves(self) -> str:
        if self.stage not in _CHANGES:
            return "Production was not touched." if self.stage != "Docs" else "Production runs this release."
        untouched = " Production was not touched." if self.stage == "Staging" else ""
        if not self.rollback:
            return f"{self.stage} was not rolled back: no earlier release succeeded there.{untouched}"
        if self.restored == "Succeeded":
            return (
                f"{self.stage} was rolled back to the release before (execution {self.rollback}).{untouched}"
            )
        return f"The rollback of {self.stage} is {self.restored or 'under way'} ({self.rollback}).{untouched}"

    def _todo(self) -> str:
        if self.action == _NOT_APPROVED:
            return "To do: settle it with whoever rejected it, and push again."
        if self.stage in _CHANGES and self.restored not in {"Succeeded", ""}:
            return f"To do: at once, `payments pipeline rollback {self.stage}`; then fix and push again."
        if self.action == "Smoke":
            return (
                "To do: read the failed checks above and the logs of that execution, fix it and push again."
            )
        return (
            "To do: fix the cause and push again; if the commit did not cause it, "
            f"`payments pipeline retry {self.which}`."
        )


def explain(tools: Aws, pipeline: str, execution: str, which: str = "release") -> FailureReport:
    """Return the report on an execution that failed."""
    client = tools.client("codepipeline")
    described = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
    summary = described["pipelineExecution"].get("statusSummary", "")
    revisions = described["pipelineExecution"].get("artifactRevisions", [])
    steps = pipeline_steps(tools, pipeline, execution)
    failed = next((step for step in reversed(steps) if step.status == "Failed"), None)
    rollback = rollback_of(tools, pipeline, execution)
    return FailureReport(
        execution,
        revisions[0]["revisionId"] if revisions else "",
        failed.stage if failed else _last_stage(steps),
        failed.action if failed else "",
        failed.message if failed else summary,
        rollback.get("pipelineExecutionId", ""),
        rollback.get("status", "") if rollback.get("status") in ENDED else "",
        _log(tools, failed.build) if failed and failed.build else None,
        which,
    )


def rollback_of(tools: Aws, pipeline: str, execution: str) -> dict[str, Any]:
    """Return ListPipelineExecutions' summary of the execution that rolled back the failed stage, or nothing.

    Source: CodePipeline API reference, ExecutionTrigger: AutomatedRollback names the failed execution.
    """
    detail = f"FailedPipelineExecutionId:{execution}"
    pages = tools.client("codepipeline").get_paginator("list_pipeline_executions")
    for page in pages.paginate(pipelineName=pipeline):
        for summary in page["pipelineExecutionSummaries"]:
            if summary.get("trigger", {}).get("triggerDetail") == detail:
                return dict(summary)
    return {}


def _log(tools: Aws, build: str) -> BuildLog | None:
    """A build's log (CodeBuild API reference, LogsLocation)."""
    for build_record in tools.client("codebuild").batch_get_builds(ids=[build])["builds"]:
        group, stream = build_record["logs"]["groupName"], build_record["logs"]["streamName"]
        return BuildLog(group, stream, _end(tools, group, stream))
    return None


def _end(tools: Aws, group: str, stream: str) -> tuple[str, ...]:
    """A log's last lines; none where the reader may see pipelines and not their logs."""
    try:
        events = tools.client("logs").get_log_events(logGroupName=group, logStreamName=stream, limit=_LINES)
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return ()
    return tuple(event["message"].rstrip() for event in events["events"])


def _last_stage(steps: list[Step]) -> str:
    return steps[-1].stage if steps else "Source"
