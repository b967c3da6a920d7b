"""Pages about promotions: pipelines with what waits, executions, and build logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.console.context import FAILURES, render
from pipelines.core.refusals import Refused
from pipelines.promotion import control, execution

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from pipelines.aws.accounts import Aws
    from pipelines.console.context import Console
    from pipelines.promotion.control import PendingApproval

TITLES: Final = {
    "branch": "Branch",
    "release": "Release",
    "remove-branch": "Remove branch",
    "expire": "Expire branches",
}
_LINES: Final = 2000
_NO_COMMIT: Final = "no commit"


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as a page shows it.

    Attributes:
        name: Its name.
        status: As CodePipeline says it, or `Waiting` where an approval or a condition holds it.
        execution: The execution that is in it, or was last.
        actions: Its actions' names with their statuses and summaries.
    """

    name: str
    status: str
    execution: str
    actions: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class PipelineView:
    """A pipeline as a page shows it.

    Attributes:
        which: The word that people use for it.
        title: Its title.
        stages: Its stages, in order.
        waiting: What waits for an answer.
        executions: Its last executions, newest first.
        problem: Why it could not be read; empty when it could.
    """

    which: str
    title: str
    stages: list[StageView]
    waiting: list[PendingApproval]
    executions: list[dict[str, Any]]
    problem: str = ""


def overview(console: Console, _request: Request) -> HTMLResponse:
    """Show every pipeline with its stages and what waits, and the environments."""
    return render(
        console,
        "overview",
        pipelines=[read_pipeline(console.tools, which) for which in TITLES],
        environments=list(console.environments.values()),
    )


def pipeline(console: Console, request: Request) -> HTMLResponse:
    """Show one pipeline: its stages with their actions, and its last executions."""
    which = pipeline_of(request)
    return render(console, "pipeline", pipeline=read_pipeline(console.tools, which, most=25))


def run(console: Console, request: Request) -> HTMLResponse:
    """Show one execution: what each of its actions did, how long it took, and why it failed."""
    which, identifier = pipeline_of(request), request.path_params["execution"]
    name = control.name_of(console.tools, which)
    described = console.tools.client("codepipeline").get_pipeline_execution(
        pipelineName=name, pipelineExecutionId=identifier
    )["pipelineExecution"]
    promotion = execution.Promotion(which, name, identifier)
    promotion.steps = execution.pipeline_steps(console.tools, name, identifier)
    waiting = control.pending_approvals(console.tools, name, identifier)
    return render(
        console,
        "run",
        which=which,
        title=TITLES[which],
        run=described,
        commit=commit_of(described),
        steps=promotion.steps,
        seconds=promotion.seconds(),
        waiting=waiting,
    )


def build_log(console: Console, request: Request) -> HTMLResponse:
    """Show a build's log as far as it is written.

    Raises:
        Refused: There is no such build.
    """
    identifier = request.path_params["build"]
    builds = console.tools.client("codebuild").batch_get_builds(ids=[identifier])["builds"]
    if not builds:
        raise Refused(f"There is no build {identifier}.")
    build = builds[0]
    status = {"IN_PROGRESS": "InProgress", "SUCCEEDED": "Succeeded"}.get(build["buildStatus"], "Failed")
    return render(
        console,
        "build_log",
        build=build,
        status=status,
        phase=build.get("currentPhase", ""),
        lines=_log_lines(console.tools, build),
    )


def read_pipeline(tools: Aws, which: str, most: int = 5) -> PipelineView:
    """Return a pipeline as a page shows it; what keeps it from being read is in its `problem`."""
    title = TITLES[which]
    try:
        name = control.name_of(tools, which)
        waiting = control.pending_approvals(tools, name)
        stages = [_stage(stage, waiting) for stage in control.state(tools, name)]
        runs = [{**run, "commit": commit_of(run)} for run in control.executions(tools, name, most)]
    except FAILURES as error:
        return PipelineView(which, title, [], [], [], getattr(error, "message", None) or str(error))
    return PipelineView(which, title, stages, waiting, runs)


def commit_of(run: dict[str, Any]) -> str:
    """Return the commit that an execution took, shortened."""
    revisions = run.get("sourceRevisions") or run.get("artifactRevisions") or []
    return next((str(revision["revisionId"])[:12] for revision in revisions), _NO_COMMIT)


def pipeline_of(request: Request) -> str:
    """Return the pipeline that a request's address names.

    Raises:
        Refused: There is no such pipeline.
    """
    which = str(request.path_params["which"])
    if which not in TITLES:
        raise Refused(f"There is no pipeline {which}.", f"Choose one of {', '.join(TITLES)}.")
    return which


def _stage(stage: dict[str, Any], waiting: list[PendingApproval]) -> StageView:
    latest = stage.get("latestExecution", {})
    held = any(question.stage == stage["stageName"] for question in waiting)
    actions = [
        {
            "name": action["actionName"],
            "status": action.get("latestExecution", {}).get("status", ""),
            "summary": _summary(action.get("latestExecution", {})),
            "when": _when(action.get("latestExecution", {}).get("lastStatusChange")),
        }
        for action in stage["actionStates"]
    ]
    status = "Waiting" if held else latest.get("status", "")
    return StageView(stage["stageName"], status, latest.get("pipelineExecutionId", ""), actions)


def _summary(latest: dict[str, Any]) -> str:
    return str(latest.get("errorDetails", {}).get("message") or latest.get("summary", ""))


def _when(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S}" if moment else ""


def _log_lines(tools: Aws, build: dict[str, Any]) -> list[str]:
    logs = build.get("logs", {})
    if "groupName" not in logs or "streamName" not in logs:
        return []
    answer = tools.client("logs").get_log_events(
        logGroupName=logs["groupName"], logStreamName=logs["streamName"], limit=_LINES
    )
    return [event["message"].rstrip("\n") for event in answer["events"]]
