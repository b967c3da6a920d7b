"""How orders and pipelines look on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from payment_data import money
from pipelines.aws import executions
from pipelines.cli import terminal
from pipelines.evidence import evidence
from pipelines.orders import smoke

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipelines.aws.executions import Moment
    from pipelines.orders.orders import Effect, OrderRecord
    from pipelines.orders.trace import Happening
    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.failure_report import FailureReport


class Journey:
    """Prints what happens in an execution, each state with the time it was entered and how long it took."""

    def __init__(self) -> None:
        self._entered: datetime | None = None
        self._failed = False

    def print(self, moment: Moment) -> None:
        """Print one more moment."""
        at = f"[dim]{moment.at.astimezone(UTC):%H:%M:%S.%f}"[:-3] + "[/]"
        error = f"[yellow]{escape(moment.error)}[/] {escape(moment.cause[:300])}"
        if moment.what == "entered":
            self._entered, self._failed = moment.at, False
            terminal.err.print(f"{at}  → [bold]{escape(moment.state)}[/]")
        elif moment.what == "attempt failed":
            self._failed = True
            terminal.err.print(f"{at}    ! {error}")
        elif moment.what == "left":
            sign = "[yellow]✗[/]" if self._failed else "[green]✓[/]"
            took = (moment.at - (self._entered or moment.at)).total_seconds()
            terminal.err.print(f"{at}    {sign} [dim]after {took:.2f} s[/]")
        else:
            terminal.err.print(f"{at}  ■ [bold]{moment.state}[/] {error if moment.error else ''}")


def print_journey(moments: Iterable[Moment]) -> list[Moment]:
    """Print each moment as it comes, and return them all."""
    followed, journey = [], Journey()
    for moment in moments:
        followed.append(moment)
        journey.print(moment)
    return followed


def outcome(order_id: str, followed: Sequence[Moment]) -> dict[str, Any]:
    """Return how an order's execution ended, for machines: {order_id, status, error, cause, moments}."""
    end, moments = followed[-1], [asdict(moment) for moment in followed]
    ended = {"order_id": order_id, "status": end.state, "error": end.error, "cause": end.cause}
    return {**ended, "moments": moments}


def print_effects(effects: Sequence[Effect]) -> None:
    """Print stock and credit before and after."""
    if effects:
        rows = [(effect.what, effect.before, effect.after, effect.change) for effect in effects]
        terminal.out.print(terminal.table("Effects", ("", "before", "after", "change"), rows))


def print_trace(happenings: Iterable[Happening]) -> None:
    """Print an order's story, a line for each thing that a log or the execution's history tells."""
    for happening in happenings:
        at = f"{happening.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        terminal.out.print(f"{at}  {happening.where.ljust(16)}  {happening.what}", markup=False)


def print_list(orders: Sequence[dict[str, Any]]) -> None:
    """Print one line for each order: ids stay whole, however narrow the terminal is."""
    widths = [max(len(order[key]) for order in orders) for key in ("order_id", "state", "user_id")]
    for order in orders:
        words = [order[key].ljust(n) for key, n in zip(("order_id", "state", "user_id"), widths, strict=True)]
        total = money.format_major(order["total"], order["currency"]).rjust(12)
        line = f"{'  '.join(words)} {total} {order['currency']}  {order['updated_at'][:19]}"
        terminal.out.print(line, markup=False)


def print_record(order_id: str, record: OrderRecord, status: str | None, moments: Iterable[Moment]) -> None:
    """Print everything about an order."""
    order = record.order
    state = order["state"] if order else "not known to the data API"
    terminal.out.print(f"[bold]Order {escape(order_id)}[/]: {state}; execution: {status or 'not placed yet'}")
    if order:
        total = money.format_major(order["total"], order["currency"])
        paid = record.payment.get("state", "none")
        terminal.out.print(f"{escape(order['user_id'])} pays {total} {order['currency']}; payment: {paid}")
        terminal.out.print(
            terminal.table(
                "Products",
                ("product", "held", "state"),
                _rows(record.reservation, "product_id", "quantity", "state"),
            )
        )
        terminal.out.print(
            terminal.table(
                "History", ("at", "from", "to", "reason"), _rows(record.history, "at", "from", "to", "reason")
            )
        )
    if record.deliveries:
        columns = ("line", "product_id", "quantity", "state")
        terminal.out.print(terminal.table("Deliveries", columns, _rows(record.deliveries, *columns)))
    if record.failures:
        failure_rows = [
            [failure["at"], failure["step"], failure["error"], executions.error_message(failure["cause"])]
            for failure in record.failures
        ]
        terminal.out.print(
            terminal.table("Failures", ("at", "step", "error", "cause"), failure_rows, long=("step", "cause"))
        )
    journey = Journey()
    for moment in moments:
        journey.print(moment)


def _rows(documents: Iterable[dict[str, Any]], *keys: str) -> list[list[object]]:
    return [[_cell(document.get(key)) for key in keys] for document in documents]


def _cell(value: object) -> object:
    return "" if value is None else value


Json = dict[str, Any]


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
