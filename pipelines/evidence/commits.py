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
    """

    identifier: str
    message: str
    at: datetime
    released: bool = False


def since_last_release(tools: Aws, pipeline: str, execution: str) -> list[Commit]:
    """Return the commits since production's last release, newest first; the last is the released one."""
    done = {summary["pipelineExecutionId"] for summary in _executions(tools, pipeline, released=True)}
    commits: list[Commit] = []
    begun = False
    for summary in _executions(tools, pipeline):
        begun = begun or summary["pipelineExecutionId"] == execution
        revision = next((r for r in summary.get("sourceRevisions", []) if r["actionName"]), None)
        if not begun or revision is None or summary.get("executionType") == "ROLLBACK":
            continue
        released = summary["pipelineExecutionId"] in done and summary["pipelineExecutionId"] != execution
        commit = Commit(revision["revisionId"], _first_line(revision), summary["startTime"], released)
        if commit.identifier not in {earlier.identifier for earlier in commits}:
            commits.append(commit)
        if released:
            break
    return commits


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
