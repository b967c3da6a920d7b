"""The commits of a release: those that came since production last took one.

A build's source is a zip without history, so they are read from the release pipeline's own executions: each
names its commit, and those between the last that reached production and this one were not released.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.aws.accounts import Aws

_LAST_STAGE_THAT_COUNTS: Final = "Production"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that a release execution took.

    Attributes:
        identifier: Its SHA.
        message: Its first line.
        at: When its execution began.
        released: Whether production has it already.
        execution: The execution that took it.
        link: Where its source is shown, when the source says so.
    """

    identifier: str
    message: str
    at: datetime
    released: bool = False
    execution: str = ""
    link: str = ""


def since_last_release(tools: Aws, pipeline: str, execution: str) -> list[Commit]:
    """Return the commits since the release that production runs, newest first; that one is the last.

    Each is the head of a push; a push of several commits is one execution.
    """
    serving = _serving(_executions(tools, pipeline, released=True), execution)
    commits: list[Commit] = []
    begun = False
    for summary in _executions(tools, pipeline):
        begun = begun or summary["pipelineExecutionId"] == execution
        revision = next((r for r in summary.get("sourceRevisions", []) if r["actionName"]), None)
        if not begun or revision is None or summary.get("executionType") == "ROLLBACK":
            continue
        identifier = summary["pipelineExecutionId"]
        released = identifier == serving
        link = revision.get("revisionUrl", "")
        commit = Commit(
            revision["revisionId"],
            _first_line(revision),
            summary["startTime"],
            released,
            identifier,
            link if link.startswith("https://") else "",
        )
        if commit.identifier not in {earlier.identifier for earlier in commits}:
            commits.append(commit)
        if released:
            break
    return commits


def _serving(released: list[dict[str, Any]], execution: str) -> str:
    """Return the execution whose release production runs: the last one there, or what that rolled back to."""
    last = next((run for run in released if run["pipelineExecutionId"] != execution), None)
    if last is None:
        return ""
    target = last.get("rollbackMetadata", {}).get("rollbackTargetPipelineExecutionId", "")
    return str(target if last.get("executionType") == "ROLLBACK" else last["pipelineExecutionId"])


def _executions(tools: Aws, pipeline: str, *, released: bool = False) -> list[dict[str, Any]]:
    wanted = {"succeededInStage": {"stageName": _LAST_STAGE_THAT_COUNTS}}
    only = {"filter": wanted} if released else {}
    pages = tools.client("codepipeline").get_paginator("list_pipeline_executions")
    summaries = [
        summary
        for page in pages.paginate(pipelineName=pipeline, **only)
        for summary in page["pipelineExecutionSummaries"]
    ]
    return sorted(summaries, key=lambda summary: summary["startTime"], reverse=True)


def _first_line(revision: dict[str, Any]) -> str:
    """The message's first line; a connection's is JSON (action reference, CodeStarSourceConnection)."""
    summary = revision.get("revisionSummary", "")
    try:
        parsed = json.loads(summary)
        summary = parsed["CommitMessage"] if isinstance(parsed, dict) else summary
    except (ValueError, KeyError):
        pass  # plain words
    return (str(summary).splitlines() or ["(no message)"])[0]
