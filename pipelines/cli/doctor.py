"""`payments doctor`: what an installation lacks, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click
from rich.markup import escape

from environments import schema
from environments import tools as tools_file
from pipelines.aws import tools_account
from pipelines.aws.accounts import connect
from pipelines.cli import options, terminal
from pipelines.core.refusals import Refused
from pipelines.deploy.synth import PROMOTED
from pipelines.doctor.findings import State
from pipelines.doctor.run import Examination, examine

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

_SIGNS: Final = {
    State.OK: "[green]✓[/]",
    State.FAILED: "[bold red]✗[/]",
    State.UNKNOWN: "[bold yellow]?[/]",
}


@click.command()
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]…", type=click.Choice(schema.names()))
@options.endpoint_url
@options.profiles
@options.machine_readable
def doctor(
    environments: tuple[str, ...], endpoint_url: str | None, profiles: tuple[str, ...], machine: bool
) -> None:
    """Examine an installation, and say how to fix each failure.

    This machine; then the pipelines; then in each ENVIRONMENT, or in branch, staging and prod, its account,
    stacks, peering, routes, addresses and quotas, and whether MongoDB answers. For that a function is made in
    the network, called and deleted. A check that could not be made is marked with a question mark. Ends with
    1 when something is wrong.

    \b
    Examples:
      payments doctor
      payments doctor branch --profile branch=DEV --profile tools=TOOLS
    """
    names, profile_names, tools = (
        environments or PROMOTED,
        options.profiles_by_account(profiles),
        tools_file.load(),
    )
    targets = [options.with_profile(connect(name, endpoint_url), profile_names.get(name)) for name in names]
    with terminal.progress("examining") as reporter:
        examination = examine(
            targets, _tools(names, endpoint_url, profile_names), tools.bootstrap_stack, reporter
        )
    if machine:
        terminal.as_json({"findings": [asdict(finding) for finding in examination.findings]})
    else:
        _print(examination)
    failures, unsure = examination.count(State.FAILED), examination.count(State.UNKNOWN)
    not_examined = f"{unsure} could not be made" if unsure else "and each could be made"
    if failures:
        raise Refused(
            f"{failures} of {len(examination.findings)} checks failed; {not_examined}.",
            "Fix the first one first.",
        )
    terminal.done(f"None of {len(examination.findings)} checks failed, {not_examined}.")


def _tools(names: tuple[str, ...], endpoint_url: str | None, profile_names: dict[str, str]) -> Aws | None:
    if not set(names) & set(PROMOTED):
        return None
    return options.with_profile(tools_account.connect(endpoint_url), profile_names.get("tools"))


def _print(examination: Examination) -> None:
    where = ""
    for finding in examination.findings:
        if finding.where != where:
            where = finding.where
            terminal.out.print(f"[bold]{escape(where)}[/]")
        terminal.out.print(f"  {_SIGNS[finding.state]} {finding.check}: {escape(finding.says)}")
        if finding.remedy:
            terminal.out.print(f"    → {escape(terminal.runnable(finding.remedy))}")
