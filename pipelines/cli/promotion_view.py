"""How a promotion looks while it goes on: live at a terminal, and a line for each change anywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipelines.cli import console
from pipelines.promotion import control
from pipelines.promotion.execution import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.aws.accounts import Aws
    from pipelines.promotion.execution import Promotion, Step

_MARKS: Final = {"InProgress": "…", "Succeeded": "[green]✓[/]"}
_FAILED: Final = "[bold red]✗[/]"
_WAITS: Final = {
    "Approve": "waits for a release manager's yes or no",
    "Name": "waits for earlier pushes to the same branch",
}
"""Actions that may wait for somebody, and for whom."""


class View(Protocol):
    """Whoever shows a promotion."""

    def show(self, promotion: Promotion) -> None:
        """Show it as it is now."""
        ...

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to a question."""
        ...


class Lines:
    """A line when an action begins and one when it ends."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say, self._told = say, set[tuple[str, str]]()

    def show(self, promotion: Promotion) -> None:
        """Print what changed since the last look."""
        for step in promotion.steps:
            if (step.identifier, step.status) not in self._told:
                self._told.add((step.identifier, step.status))
                self._say(_line(step))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lines are in nobody's way."""
        yield


class Screen:
    """The whole pipeline, drawn again at every look: stages, actions, how long, and what waits for whom."""

    def __init__(self, live: Live, stages: list[str]) -> None:
        self._live, self._stages = live, stages

    def show(self, promotion: Promotion) -> None:
        """Draw it."""
        self._live.update(drawn(promotion, self._stages), refresh=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop drawing, so that a question can be asked below."""
        self._live.stop()
        yield
        self._live.start()


@contextmanager
def watching(tools: Aws, promotion: Promotion) -> Iterator[View]:
    """A view of a promotion that fits where it is shown."""
    console.out.print(_title(promotion))
    if not console.out.is_terminal:
        yield Lines(console.out.print)
        return
    with Live(console=console.out, auto_refresh=False) as live:
        yield Screen(live, control.stages(tools, promotion.pipeline))


def drawn(promotion: Promotion, stages: list[str], now: datetime | None = None) -> Table:
    """A promotion with all its stages, those still to come included."""
    now = now or datetime.now(UTC)
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name in stages:
        steps = [step for step in promotion.steps if step.stage == name]
        table.add_row(*_stage(promotion, name, steps, now))
        for step in steps:
            if step.status != "Succeeded":
                table.add_row("", f"  {_mark(step)} {escape(step.action)}", _took(step, now), _why(step))
    return table


def _stage(
    promotion: Promotion, name: str, steps: list[Step], now: datetime
) -> tuple[str, str, str, str | Text]:
    if not steps:
        waits = f"waits for {promotion.conditions[name]}" if name in promotion.conditions else ""
        return "[dim]·[/]", f"[dim]{escape(name)}[/]", "", Text(waits, style="yellow")
    bad = any(step.status not in _MARKS for step in steps)
    waits = promotion.conditions.get(name, "")
    runs = waits or any(step.status == "InProgress" for step in steps)
    mark = _FAILED if bad else _MARKS["InProgress" if runs else "Succeeded"]
    ended = now if runs and promotion.status not in ENDED else max(step.ended for step in steps)
    took = (ended - min(step.began for step in steps)).total_seconds()
    said = Text(f"waits for {waits}" if waits else "", style="yellow")
    return mark, f"[bold]{escape(name)}[/]", f"{took:5.1f} s", said


def _took(step: Step, now: datetime) -> str:
    seconds = (now - step.began).total_seconds() if step.status == "InProgress" else step.seconds
    return f"{seconds:5.1f} s"


def _why(step: Step) -> Text:
    if step.status == "InProgress":
        return Text(_WAITS.get(step.action, ""), style="yellow")
    return Text(step.message, style="red")


def _title(promotion: Promotion) -> str:
    what = f", commit {promotion.commit[:12]}" if promotion.commit else ""
    return f"[bold]{promotion.which}[/] pipeline{what}, execution {promotion.execution}"


def _line(step: Step) -> str:
    if step.status == "InProgress":
        waits = f", {_WAITS[step.action]}" if step.action == "Approve" else ""
        return f"  … {escape(step.stage)}: {escape(step.action)}{waits}"
    said = "" if step.status == "Succeeded" else f" {escape(step.message)}"
    return f"  {_mark(step)} {escape(step.stage)}: {escape(step.action)} {step.seconds:.1f} s{said}"


def _mark(step: Step) -> str:
    return _MARKS.get(step.status, _FAILED)
