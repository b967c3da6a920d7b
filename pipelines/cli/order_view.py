"""How an order looks on a terminal."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from payment_data import money
from pipelines.aws import executions
from pipelines.cli import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipelines.aws.executions import Moment
    from pipelines.orders.order_effects import Effect
    from pipelines.orders.orders import OrderRecord


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


def print_effects(effects: Sequence[Effect]) -> None:
    """Print stock and credit before and after."""
    if effects:
        rows = [(effect.what, effect.before, effect.after, effect.change) for effect in effects]
        terminal.out.print(terminal.table("Effects", ("", "before", "after", "change"), rows))


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
