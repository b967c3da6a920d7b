"""What a person sees: progress on standard error with what it usually takes, results on standard output."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipelines.cli.grammar import PLACE
from pipelines.core.repository import CACHE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pipelines.promotion.execution import Promotion, Step

DURATIONS: Final = CACHE / "durations.json"
_DURATIONS_KEPT: Final = 5
_SHORT_SECONDS: Final = 5
_MINUTE: Final = 60


class Durations:
    """The last durations of each action, by pipeline, stage and action; kept in a file of this machine's."""

    def __init__(self, file: Path = DURATIONS) -> None:
        self._file = file
        self._seconds: dict[str, list[float]] = _read_durations(file)

    def expected(self, which: str, step: Step) -> str:
        """Return what an action usually takes, as `usually 40 s`; nothing where that is short or unknown."""
        return self.named(f"{which}/{step.stage}/{step.action}")

    def named(self, name: str) -> str:
        """Return what something usually takes, as `usually 40 s`; nothing where that is short or unknown."""
        known = self._seconds.get(name, [])
        usual = median(known) if known else 0
        return f"usually {described_duration(usual)}" if usual >= _SHORT_SECONDS else ""

    def together(self, names: Sequence[str]) -> str:
        """Return what several things usually take one after the other; nothing where one was never seen."""
        seen = [self._seconds.get(name, []) for name in names]
        return f"usually {described_duration(sum(map(median, seen)))}" if seen and all(seen) else ""

    def keep(self, promotion: Promotion) -> None:
        """Remember how long the actions of a promotion took that succeeded."""
        for step in promotion.steps:
            if step.status == "Succeeded":
                self._add(f"{promotion.which}/{step.stage}/{step.action}", step.seconds)
        self._write()

    def keep_named(self, name: str, seconds: float) -> None:
        """Remember how long something took."""
        self._add(name, seconds)
        self._write()

    def _add(self, name: str, seconds: float) -> None:
        self._seconds[name] = [*self._seconds.get(name, []), round(seconds, 1)][-_DURATIONS_KEPT:]

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # an estimate is worth no failure where nothing can be written
            self._file.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._file.with_suffix(".new")
            scratch.write_text(json.dumps(self._seconds, indent=1), encoding="utf-8")
            scratch.replace(self._file)


def described_duration(seconds: float) -> str:
    """Return a duration in words, as `40 s` or `3 min`."""
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"


def _read_durations(file: Path) -> dict[str, list[float]]:
    try:
        known: Any = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): [float(seconds) for seconds in values] for name, values in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


_SHOWN_SECONDS: Final = 2
_PIPED_COLUMNS: Final = 160
"""A file or a pipe has no width of its own: rich would take 80 and squeeze a table's columns to nothing."""
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Terminal:
    """A reporter that keeps one moving line below the lines it was told to keep."""

    def __init__(self, line: str, usual: str) -> None:
        self._line, self._usual, self._began = line, usual, time.monotonic()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        err.print(f"  {escape(line)}")

    def passing(self, line: str) -> None:
        """Show a line until the next one."""
        self._line = line

    def __rich__(self) -> Text:
        """Return the moving line: the present phase, how long it all runs, and how long that usually is."""
        seconds = time.monotonic() - self._began
        times = [f"{seconds:.0f} s"] * (seconds >= _SHOWN_SECONDS) + [self._usual] * bool(self._usual)
        timed = f" ({', '.join(times)})" if times else ""
        return Text(self._line + timed, style="dim")


@contextmanager
def progress(what: str) -> Iterator[Terminal]:
    """Show that something is going on, its phase, and how long it usually takes on this machine.

    Nothing moves where there is no terminal, and nothing is remembered there.
    """
    durations, began = Durations(), time.monotonic()
    reporter = Terminal(what, durations.named(f"progress/{what}"))
    with err.status(reporter):
        yield reporter
    if err.is_terminal:
        durations.keep_named(f"progress/{what}", time.monotonic() - began)


@contextmanager
def results_for(*, machine: bool) -> Iterator[None]:
    """Let what people read go to standard error where a machine reads the result on standard output."""
    if not machine:
        yield
        return
    out.file = err.file
    try:
        yield
    finally:
        out._file = None


def as_json(result: object) -> None:
    """Print a result for a machine."""
    out.print_json(json.dumps(result, default=_plain))


def table(
    title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], long: Collection[str] = ()
) -> Table:
    """Return a plain table; only the columns named in `long` wrap where the terminal is narrow."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        drawn.add_column(column, no_wrap=column not in long, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(str(cell)) for cell in row))
    return drawn


def runnable(text: str) -> str:
    """Return text whose commands can be pasted.

    With the path of `payments` where the shell lacks it; and a text that is one command, with the endpoint,
    environment and stack that this command was told.
    """
    text = _in_the_same_place(text)
    path = Path(sys.argv[0])
    if path.name != "payments" or shutil.which("payments"):
        return text
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    command = shlex.quote(str(shown))
    return re.sub(r"(?<!\S)payments (?=[a-z-])", lambda _: f"{command} ", text)


def _in_the_same_place(text: str) -> str:
    """Return a command with what this command line says of where to look, as far as it takes that."""
    context = click.get_current_context(silent=True)
    place = context.find_root().meta.get(PLACE, {}) if context else {}
    if not place or not re.fullmatch(r"payments [a-z][^;]*", text):
        return text
    command: click.Command | None = context.find_root().command if context else None
    words = shlex.split(text)[1:]
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(command), words.pop(0))
    for parameter in command.params if command else ():
        value = place.get(str(parameter.name))
        if value is None or any(option in text.split() for option in parameter.opts):
            continue
        if isinstance(parameter, click.Option):
            text = f"{text} {parameter.opts[0]} {shlex.quote(value)}"
        elif not words:
            text = f"{text} {shlex.quote(value)}"
    return text


def refuse(message: str, hint: str = "") -> None:
    """Say why a command did not do what was asked, and what would help."""
    err.print(f"[bold red]✗[/] {escape(message)}")
    if hint:
        err.print(f"  [bold]→[/] {escape(runnable(hint))}")


def done(message: str) -> None:
    """Say that something worked."""
    err.print(f"[bold green]✓[/] {escape(message)}")


def finish(message: str, result: object, *, machine: bool) -> None:
    """Say that something worked; for a machine, print its result as JSON instead."""
    if machine:
        as_json(result)
    else:
        done(message)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
