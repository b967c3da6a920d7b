"""How a promotion looks on a terminal while it runs: drawn live, or line by line."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.terminal import Durations
from pipelines.promotion import control
from pipelines.promotion.execution import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from pipelines.aws.accounts import Aws
    from pipelines.promotion.execution import Promotion, Step


_LINE_SHOWN: Final = 70


def no_note(_which: str, _step: Step) -> str:
    """Say nothing of a running action."""
    return ""


_MARKS: Final = {"InProgress": "…", "Succeeded": "[green]✓[/]"}
_FAILED: Final = "[bold red]✗[/]"
_WAITS: Final = {
    "Approve": "waits for approval",
    "Turn": "waits for earlier pushes to the same branch",
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

    def __init__(self, say: Callable[[str], object], durations: Durations | None = None) -> None:
        self._say, self._printed = say, set[tuple[str, str]]()
        self._durations = durations

    def show(self, promotion: Promotion) -> None:
        """Print what changed since the last look."""
        for step in promotion.steps:
            if (step.identifier, step.status) not in self._printed:
                self._printed.add((step.identifier, step.status))
                expected = self._durations.expected(promotion.which, step) if self._durations else ""
                self._say(_line(step, expected))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lines are in nobody's way."""
        yield


class Screen:
    """The whole pipeline, drawn again at every look: stages, actions, how long, and what waits for whom."""

    def __init__(
        self, stages: list[str], console: Console, note: Callable[[str, Step], str] = no_note
    ) -> None:
        self._stages, self._console, self._note = stages, console, note
        self._live = self._begin()

    def show(self, promotion: Promotion) -> None:
        """Draw it."""
        running = [step for step in promotion.steps if step.status == "InProgress"]
        notes = {step.identifier: self._note(promotion.which, step) for step in running}
        self._live.update(drawn(promotion, self._stages, notes=notes), refresh=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop drawing while a question is asked, and go on below it.

        A drawing that is started again would go back over what was printed since, so it is another one.
        """
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._begin()

    def close(self) -> None:
        """Leave the last drawing where it is."""
        self._live.stop()

    def _begin(self) -> Live:
        live = Live(console=self._console, auto_refresh=False)
        live.start()
        return live


@contextmanager
def watching(tools: Aws, promotion: Promotion) -> Iterator[View]:
    """Yield a view of a promotion that suits the output: live at a terminal, lines anywhere else."""
    terminal.out.print(_title(promotion))
    durations = Durations()
    if not terminal.out.is_terminal:
        yield Lines(terminal.out.print, durations)
    else:
        phases = Phases(tools)

        def note(which: str, step: Step) -> str:
            parts = (phases.now(step), durations.expected(which, step))
            return ", ".join(part for part in parts if part)

        screen = Screen(control.stages(tools, promotion.pipeline), terminal.out, note)
        try:
            yield screen
        finally:
            screen.close()
    durations.keep(promotion)


class Phases:
    """What a build is doing now: the last line of its log, asked for once a second at most."""

    def __init__(self, tools: Aws) -> None:
        self._tools = tools
        self._seen: dict[str, tuple[float, str]] = {}

    def now(self, step: Step) -> str:
        """Return the last line of the log of the build that an action runs; nothing for other actions."""
        if not step.build:
            return ""
        asked, line = self._seen.get(step.build, (0.0, ""))
        if time.monotonic() - asked >= 1:
            line = last_line(self._tools, step.build) or line
            self._seen[step.build] = (time.monotonic(), line)
        return line


def last_line(tools: Aws, build: str) -> str:
    """Return the last line of a build's log, shortened for a terminal; nothing where it cannot be read."""
    try:
        logs = tools.client("codebuild").batch_get_builds(ids=[build])["builds"][0]["logs"]
        events = tools.client("logs").get_log_events(
            logGroupName=logs["groupName"], logStreamName=logs["streamName"], limit=1
        )["events"]
    except (ClientError, BotoCoreError, IndexError, KeyError):
        return ""
    text = events[-1]["message"].strip() if events else ""
    return re.sub(r"^\[Container\] \S+ \S+ ", "", text)[:_LINE_SHOWN]


def drawn(
    promotion: Promotion,
    stages: list[str],
    now: datetime | None = None,
    notes: Mapping[str, str] | None = None,
) -> Table:
    """Return a promotion as a table of all its stages, those still to come included.

    Args:
        promotion: The promotion.
        stages: Every stage of its pipeline.
        now: The time; of running actions the duration is counted up to it.
        notes: What to say of running actions, by their ids.
    """
    now = now or datetime.now(UTC)
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name in stages:
        steps = [step for step in promotion.steps if step.stage == name]
        table.add_row(*_stage(promotion, name, steps, now))
        for step in steps:
            if step.status != "Succeeded":
                why = _why(step, (notes or {}).get(step.identifier, ""))
                table.add_row("", f"  {_mark(step)} {escape(step.action)}", _took(step, now), why)
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
    waiting = Text(f"waits for {waits}" if waits else "", style="yellow")
    return mark, f"[bold]{escape(name)}[/]", f"{took:5.1f} s", waiting


def _took(step: Step, now: datetime) -> str:
    seconds = (now - step.began).total_seconds() if step.status == "InProgress" else step.seconds
    return f"{seconds:5.1f} s"


def _why(step: Step, note: str = "") -> Text:
    if step.status == "InProgress":
        waits = _WAITS.get(step.action, "")
        return Text(waits or note, style="yellow" if waits else "dim", overflow="ellipsis", no_wrap=True)
    return Text(step.message, style="red")


def _title(promotion: Promotion) -> str:
    what = f", commit {promotion.commit[:12]}" if promotion.commit else ""
    return f"[bold]{promotion.which}[/] pipeline{what}, execution {promotion.execution}"


def _line(step: Step, expected: str = "") -> str:
    if step.status == "InProgress":
        waits = f", {_WAITS[step.action]}" if step.action == "Approve" else ""
        waits = waits or (f", {expected}" if expected else "")
        return f"  … {escape(step.stage)}: {escape(step.action)}{waits}"
    reason = "" if step.status == "Succeeded" else f" {escape(step.message)}"
    return f"  {_mark(step)} {escape(step.stage)}: {escape(step.action)} {step.seconds:.1f} s{reason}"


def _mark(step: Step) -> str:
    return _MARKS.get(step.status, _FAILED)
