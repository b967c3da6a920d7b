"""What a person sees: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rich.status import Status

_PIPED_COLUMNS: Final = 160
"""A file or a pipe has no width of its own: rich would take 80 and squeeze a table's columns to nothing."""
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Terminal:
    """A reporter that keeps one moving line below the lines it was told to keep."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def say(self, line: str) -> None:
        """Print a line that stays."""
        err.print(f"  {escape(line)}")

    def passing(self, line: str) -> None:
        """Show a line until the next one."""
        self._status.update(f"[dim]{escape(line)}")


@contextmanager
def progress(what: str) -> Iterator[Terminal]:
    """Show that something is going on, and what; nothing moves where there is no terminal."""
    with err.status(f"[dim]{escape(what)}") as status:
        yield Terminal(status)


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
    """Return text whose commands can be pasted: with the path of `payments` where the shell lacks it."""
    path = Path(sys.argv[0])
    if path.name != "payments" or shutil.which("payments"):
        return text
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return re.sub(r"(^|\s)payments (?=[a-z-])", rf"\1{shown} ", text)


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
