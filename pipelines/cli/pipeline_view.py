"""How a pipeline looks on a terminal: its stages, what waits for an answer, and why a release failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.cli import terminal
from pipelines.evidence import evidence
from pipelines.orders import smoke

if TYPE_CHECKING:
    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.failure_report import FailureReport

Json = dict[str, Any]
_LINE_SHOWN: Final = 70


def print_state(stages: list[Json], executions: list[Json]) -> None:
    """Print the stages of a pipeline with their actions, and its last executions."""
    rows = [
        (stage["stageName"], *_row(action))
        for stage in stages
        for action in [{"actionName": "", **stage}, *stage["actionStates"]]
    ]
    terminal.out.print(terminal.table("Stages", ("stage", "action", "is", "says"), rows, long=("says",)))
    past = [
        (
            execution["pipelineExecutionId"],
            execution["status"],
            execution["startTime"].strftime("%Y-%m-%d %H:%M"),
            _commit(execution),
        )
        for execution in executions
    ]
    terminal.out.print(terminal.table("Executions", ("execution", "is", "since", "commit"), past))


def print_failure_report(after: FailureReport) -> None:
    """Print why a release failed: the end of its log, what happened, what serves now, what to do."""
    for line in after.log.end if after.log else ():
        terminal.out.print(f"  | {line}", markup=False, highlight=False)
    for line in after.sentences():
        terminal.out.print(terminal.runnable(line), markup=False)


def print_questions(questions: list[PendingApproval], which: str, endpoint_url: str | None = None) -> None:
    """Print what waits for an approval, with its summary and the commands that answer."""
    for question in questions:
        terminal.out.print(f"[bold]{question.stage}[/] of {question.execution} waits for an answer:")
        terminal.out.print(question.summary, markup=False)
        terminal.out.print(f"{question.link}\n", markup=False)
        terminal.out.print(terminal.runnable(answering(question, which, endpoint_url)), markup=False)


def answering(question: PendingApproval, which: str, endpoint_url: str | None) -> str:
    """Return the two commands that answer an approval, as they can be pasted."""
    return "\n".join(f"  {command}" for command in evidence.answers(which, question.execution, endpoint_url))


def _row(action: Json) -> tuple[str, str, str]:
    last = action.get("latestExecution", {})
    summary = last.get("errorDetails", {}).get("message") or last.get("summary", "")
    if last.get("lastUpdatedBy"):  # of approvals alone: who answered (API reference, ActionExecution)
        answer = "approved" if last["status"] == "Succeeded" else "rejected"
        summary = f"{answer} by {last['lastUpdatedBy']}: {last.get('summary', '')}"
    return action["actionName"], last.get("status", ""), smoke.readable(summary)


def _commit(execution: Json) -> str:
    revisions = execution.get("sourceRevisions", [])
    return revisions[0].get("revisionId", "")[:12] if revisions else ""
