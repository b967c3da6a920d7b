"""How a pipeline looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.cli import console
from pipelines.cli.order_view import table
from pipelines.orders import smoke

if TYPE_CHECKING:
    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.failure_report import FailureReport

Json = dict[str, Any]


def print_state(stages: list[Json], executions: list[Json]) -> None:
    """Its stages with their actions, and its last executions."""
    rows = [
        (stage["stageName"], *_row(action))
        for stage in stages
        for action in [{"actionName": "", **stage}, *stage["actionStates"]]
    ]
    console.out.print(table("Stages", ("stage", "action", "is", "says"), rows, long=("says",)))
    past = [
        (one["pipelineExecutionId"], one["status"], one["startTime"].strftime("%Y-%m-%d %H:%M"), _commit(one))
        for one in executions
    ]
    console.out.print(table("Executions", ("execution", "is", "since", "commit"), past))


def print_failure_report(after: FailureReport) -> None:
    """What became of a release that failed: the end of its log, what happened, what serves, what to do."""
    for line in after.log.end if after.log else ():
        console.out.print(f"  | {line}", markup=False, highlight=False)
    for line in after.sentences():
        console.out.print(console.runnable(line), markup=False)


def print_questions(questions: list[PendingApproval], which: str) -> None:
    """What waits for an answer, with what it tells, and how to answer."""
    for question in questions:
        console.out.print(f"[bold]{question.stage}[/] of {question.execution} waits for an answer:")
        console.out.print(question.summary, markup=False)
        console.out.print(f"{question.link}\n", markup=False)
        console.out.print(f"payments pipeline approve {which} --execution {question.execution}", markup=False)
        console.out.print(
            f"payments pipeline reject {which} --execution {question.execution} --summary WHY", markup=False
        )


def _row(action: Json) -> tuple[str, str, str]:
    last = action.get("latestExecution", {})
    said = last.get("errorDetails", {}).get("message") or last.get("summary", "")
    if last.get("lastUpdatedBy"):  # of approvals alone: who answered (API reference, ActionExecution)
        answer = "approved" if last["status"] == "Succeeded" else "rejected"
        said = f"{answer} by {last['lastUpdatedBy']}: {last.get('summary', '')}"
    return action["actionName"], last.get("status", ""), smoke.readable(said)


def _commit(execution: Json) -> str:
    revisions = execution.get("sourceRevisions", [])
    return revisions[0].get("revisionId", "")[:12] if revisions else ""
