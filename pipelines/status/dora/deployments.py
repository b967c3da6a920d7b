"""Reads the deployments of an environment from the release pipeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.status.dora import measures
from pipelines.status.dora.assembly import Deployment, History, assemble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.aws.accounts import Aws
    from pipelines.status.dora.measures import Measures

STAGES: Final = {"staging": "Staging", "prod": "Production"}
"""The stage of the release pipeline that deploys each environment."""
_LONGEST_WAY: Final = timedelta(days=7)
"""How long before a window its first deployments may have begun: they wait for approval and their window."""

Json = dict[str, Any]


def measured(tools: Aws, pipeline: str, environment: str, until: datetime | None = None) -> Measures:
    """Return the measures of an environment over the window that ends at `until`, or now."""
    end = until or datetime.now(UTC)
    return measures.measure(read(tools, pipeline, STAGES[environment], end - measures.WINDOW), end)


def read(tools: Aws, pipeline: str, stage: str, since: datetime) -> list[Deployment]:
    """Return the deployments that a stage made since a moment, and some from before.

    CodePipeline keeps twelve months of history.
    """
    client, earliest = tools.client("codepipeline"), since - _LONGEST_WAY

    def listed(operation: str, key: str, **more: Any) -> list[Json]:
        pages = client.get_paginator(operation).paginate(pipelineName=pipeline, **more)
        return list(_until(earliest, (entry for page in pages for entry in page[key])))

    executions = "list_pipeline_executions", "pipelineExecutionSummaries"
    passed = listed(*executions, filter={"succeededInStage": {"stageName": stage}})
    return assemble(
        History(
            executions=listed(*executions),
            actions=listed("list_action_executions", "actionExecutionDetails"),
            rules=listed("list_rule_executions", "ruleExecutionDetails"),
            passed={entry["pipelineExecutionId"] for entry in passed},
        ),
        stage,
    )


def _until(earliest: datetime, newest_first: Iterator[Json]) -> Iterator[Json]:
    for document in newest_first:
        if document["startTime"] < earliest:
            return
        yield document
