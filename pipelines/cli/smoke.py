"""`payments smoke`: does the deployed system take orders as it should?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli import console, options
from pipelines.core.refusals import Refused
from pipelines.orders import payment_stack
from pipelines.orders import smoke as smoke_runs

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.orders.smoke import SmokeReport


@click.command()
@options.in_stack
@options.machine_readable
def smoke(aws: Aws, stack: str, machine: bool) -> None:
    """Prove a deployment with synthetic orders.

    They go through the live alias, are checked and removed again.
    """
    with console.progress(f"smoke of {stack}") as reporter:
        report = smoke_runs.run(payment_stack.connect(aws, stack), reporter)
    if machine:
        console.as_json(asdict(report))
    else:
        print_checks(report)
    if not report.passed:
        raise Refused(f"Smoke of {stack} failed: {report.error} {report.cause}".strip())
    console.done(f"Smoke of {stack} passed")


def print_checks(report: SmokeReport) -> None:
    """Each check with its verdict."""
    for check in report.checks:
        verdict = "[green]✓[/]" if check.ok else "[bold red]✗[/]"
        console.out.print(f"  {verdict} ", end="")
        console.out.print(f"{check.name}: {check.detail}", markup=False)
