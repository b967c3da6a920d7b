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
    """The commits of this execution and of those since production's last, newest first; that one is last."""
    done = {one["pipelineExecutionId"] for one in _executions(tools, pipeline, released=True)}
    found: list[Commit] = []
    begun = False
    for one in _executions(tools, pipeline):
        begun = begun or one["pipelineExecutionId"] == execution
        revision = next((r for r in one.get("sourceRevisions", []) if r["actionName"]), None)
        if not begun or revision is None or one.get("executionType") == "ROLLBACK":
            continue
        released = one["pipelineExecutionId"] in done and one["pipelineExecutionId"] != execution
        commit = Commit(revision["revisionId"], _words(revision), one["startTime"], released)
        if commit.identifier not in {known.identifier for known in found}:
            found.append(commit)
        if released:
            break
    return found


def _executions(tools: Aws, pipeline: str, *, released: bool = False) -> list[dict[str, Any]]:
    wanted = {"succeededInStage": {"stageName": _LAST_STAGE_THAT_COUNTS}}
    only = {"filter": wanted} if released else {}
    pages = tools.client("codepipeline").get_paginator("list_pipeline_executions")
    found = [
        one
        for page in pages.paginate(pipelineName=pipeline, **only)
        for one in page["pipelineExecutionSummaries"]
    ]
    return sorted(found, key=lambda one: one["startTime"], reverse=True)


def _words(revision: dict[str, Any]) -> str:
    """The message's first line; a connection's is JSON (action reference, CodeStarSourceConnection)."""
    summary = revision.get("revisionSummary", "")
    try:
        said = json.loads(summary)
        summary = said["CommitMessage"] if isinstance(said, dict) else summary
    except (ValueError, KeyError):
        pass  # plain words
    return (str(summary).splitlines() or ["(no message)"])[0]
