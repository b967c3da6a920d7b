"""Findings, as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import markup

from pipelines.cli import terminal
from pipelines.doctor.findings import State

if TYPE_CHECKING:
    from pipelines.doctor.run import Examination

_SIGNS: Final = {
    State.OK: "[green]✓[/]",
    State.FAILED: "[bold red]✗[/]",
    State.UNKNOWN: "[bold yellow]?[/]",
}


def show(examination: Examination) -> None:
    """Print each finding below where it was made, with what to do about it."""
    where = ""
    for finding in examination.findings:
        if finding.where != where:
            where = finding.where
            terminal.out.print(f"[bold]{markup.escape(where)}[/]")
        terminal.out.print(f"  {_SIGNS[finding.state]} {finding.check}: {markup.escape(finding.says)}")
        if finding.remedy:
            terminal.out.print(f"    → {markup.escape(terminal.runnable(finding.remedy))}")
