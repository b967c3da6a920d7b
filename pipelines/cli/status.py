"""`payments status`: an environment on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from pipelines.aws import tools_account
from pipelines.cli import console, options
from pipelines.cli import profiles as profile
from pipelines.core.refusals import Refused
from pipelines.deploy.synth import PROMOTED
from pipelines.status.dora import formatting
from pipelines.status.gather import MOST_PARKED, Status, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.aws.accounts import Aws
    from pipelines.status.deployed import Alarms, Deployed

_MINUTE: Final = "%Y-%m-%d %H:%M"
_SHORT: Final = 12
Line = tuple[str, str]


@click.command()
@options.in_stack_of_environment
@profile.option
@options.machine_readable
def status(aws: Aws, stack: str, profiles: tuple[str, ...], machine: bool) -> None:
    """Show an environment on one screen.

    What it runs, its last smoke test, approvals that wait, alarms, parked orders, drift, and how often and
    how well it is released to. Changes nothing; what could not be asked is said. Ends with 1 where nothing is
    deployed.
    """
    name, whom = aws.environment.name, profile.by_account(profiles)
    with console.progress(f"looking at {name}") as reporter:
        tools = profile.acting(tools_account.connect(aws.endpoint), whom.get("tools"))
        there = profile.acting(aws, whom.get(name))
        found = gather(there, stack, tools if name in PROMOTED else None, reporter)
    if machine:
        console.as_json(asdict(found))
    else:
        _print(found)
    if "deployed" in found.unknown:
        raise Refused(f"{stack} could not be looked at: {found.unknown['deployed']}")
    if found.deployed is None:
        where = f"{found.account}, {found.region}"
        raise Refused(f"There is no stack {stack} in {where}.", f"payments deploy {name} --stack {stack}")


def _print(found: Status) -> None:
    console.out.print(
        f"[bold]{escape(found.stack)}[/] in {found.environment} "
        f"({found.account}, {found.region}), {found.at:{_MINUTE}} UTC"
    )
    shown = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for part, said in _lines(found):
        shown.add_row(f"[bold]{part}[/]", said)
    for part, why in found.unknown.items():
        shown.add_row(f"[bold yellow]? {part}[/]", f"could not be asked: {escape(why)}")
    console.out.print(shown)


def _lines(found: Status) -> Iterator[Line]:
    if found.deployed is not None:
        yield from _deployed(found.deployed)
        yield from _doing(found)
    elif "deployed" not in found.unknown:
        yield "deployed", "[yellow]nothing[/]"
    if found.release is not None:
        one, kind = found.release, "rollback" if found.release.rollback else "release"
        yield "release", f"{one.commit[:_SHORT] or 'no commit'}, {kind} {one.execution}: {one.status}"
    if "gates" not in found.unknown and found.environment in PROMOTED:
        yield "gates", "\n".join(_gates(found)) or "none"
    if found.delivery is not None:
        for measure, said in formatting.told(found.delivery).items():
            yield measure, escape(said)


def _doing(found: Status) -> Iterator[Line]:
    if "smoke" not in found.unknown:
        run = found.smoke
        yield "smoke", f"{run['status']} {run['started']:{_MINUTE}}" if run else "[yellow]never ran[/]"
    if found.alarms is not None:
        yield "alarms", "\n".join(_alarms(found.alarms))
    if "parked" not in found.unknown:
        yield "parked", _parked(found)
    if found.drift:
        yield "drift", "\n".join(_drift(found))


def _deployed(one: Deployed) -> Iterator[Line]:
    made = f" from {one.commit[:_SHORT]}" if one.commit else ""
    yield "deployed", escape(f"{one.state}, changed {one.changed:{_MINUTE}}{made}")
    versions = ", ".join(f"{version} ({share} %)" for version, share in one.versions.items())
    yield "live", f"workflow version {versions}" if versions else "[yellow]no version[/]"
    yield "digests", ", ".join(f"{name} {digest[:_SHORT]}" for name, digest in sorted(one.digests.items()))


def _alarms(found: Alarms) -> Iterator[str]:
    for one in found.ringing:
        yield f"[bold red]{one.name}[/] since {one.since:{_MINUTE}}: {escape(one.says)}"
    if found.unsure:
        yield f"[yellow]without data[/]: {', '.join(found.unsure)}"
    yield f"{found.quiet} are quiet"


def _parked(found: Status) -> str:
    if not found.parked:
        return "none"
    more = " or more" if len(found.parked) == MOST_PARKED else ""
    return f"[bold red]{len(found.parked)}{more}[/]: {escape(', '.join(found.parked[:5]))}"


def _drift(found: Status) -> Iterator[str]:
    for stack, changed in found.drift.items():
        if changed:
            yield f"[bold red]{escape(stack)}[/]: {', '.join(changed)}"
    if not any(found.drift.values()):
        yield f"none in {', '.join(found.drift)}"


def _gates(found: Status) -> Iterator[str]:
    for gate in found.gates:
        command = f"payments pipeline approve {gate.pipeline} --execution {gate.execution}"
        yield f"[bold yellow]{gate.stage}[/] waits: {escape(gate.link)}\n{console.runnable(command)}"
