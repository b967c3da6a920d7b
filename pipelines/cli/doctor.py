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
from pipelines.cli import console, options
from pipelines.cli import profiles as profile
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
@profile.option
@options.machine_readable
def doctor(
    environments: tuple[str, ...], endpoint_url: str | None, profiles: tuple[str, ...], machine: bool
) -> None:
    """Examine an installation, and say for each failure what to do.

    This machine; then the pipelines; then in each ENVIRONMENT, or in branch, staging and prod, its account,
    stacks, peering, routes, addresses and quotas, and whether MongoDB answers. For that a function is made in
    the network, called and deleted. What could not be looked at is marked with a question mark. Ends with 1
    when something is wrong.
    """
    names, whom, tools = environments or PROMOTED, profile.by_account(profiles), tools_file.load()
    targets = [profile.acting(connect(name, endpoint_url), whom.get(name)) for name in names]
    with console.progress("examining") as reporter:
        found = examine(targets, _tools(names, endpoint_url, whom), tools.bootstrap_stack, reporter)
    if machine:
        console.as_json({"findings": [asdict(one) for one in found.findings]})
    else:
        _print(found)
    failures, unsure = found.count(State.FAILED), found.count(State.UNKNOWN)
    told = f"{unsure} could not be looked at" if unsure else "and each could be looked at"
    if failures:
        raise Refused(
            f"{failures} of {len(found.findings)} checks failed; {told}.", "Mend the first one first."
        )
    console.done(f"None of {len(found.findings)} checks failed, {told}.")


def _tools(names: tuple[str, ...], endpoint_url: str | None, whom: dict[str, str]) -> Aws | None:
    if not set(names) & set(PROMOTED):
        return None
    return profile.acting(tools_account.connect(endpoint_url), whom.get("tools"))


def _print(found: Examination) -> None:
    where = ""
    for one in found.findings:
        if one.where != where:
            where = one.where
            console.out.print(f"[bold]{escape(where)}[/]")
        console.out.print(f"  {_SIGNS[one.state]} {one.check}: {escape(one.says)}")
        if one.remedy:
            console.out.print(f"    → {escape(console.runnable(one.remedy))}")
