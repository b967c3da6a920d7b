"""`payments status` and `payments console`: environments on one screen, or with all else in the browser."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core.refusals import Refused

with deferral.until_run():
    import secrets
    import webbrowser

    from rich import box, markup, table

    from environments import groupings, schema
    from pipelines.aws import accounts, stacks
    from pipelines.cli import local_aws, terminal
    from pipelines.console import serving
    from pipelines.status import delivery, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.aws.accounts import Aws
    from pipelines.console.context import Console
    from pipelines.status.deployed import Alarms, Deployed
    from pipelines.status.gather import Status

_MINUTE: Final = "%Y-%m-%d %H:%M"
_SHORT: Final = 12
Line = tuple[str, str]


@click.command(cls=Command)
@options.in_stack_of_environment
@options.profiles
@options.machine_readable
def status(aws: Aws, stack: str, profiles: tuple[str, ...], machine: bool) -> None:
    """Show an environment on one screen.

    What it runs, its last smoke test, approvals that wait, alarms, parked orders, drift, and how often and
    how well it is released to. Changes nothing; what could not be read is marked with its reason.
    Ends with 1 where nothing is deployed.

    \b
    Examples:
      payments status prod
      payments status prod --profile tools=TOOLS --profile prod=PROD
    """
    name, profile_names = aws.environment.name, options.profiles_by_account(profiles)
    with terminal.progress(f"looking at {name}") as reporter:
        tools = options.with_profile(accounts.connect_tools(aws.endpoint), profile_names.get("tools"))
        account = options.with_profile(aws, profile_names.get(name))
        status = gather.gather(account, stack, tools if name in groupings.PROMOTED else None, reporter)
    if machine:
        terminal.as_json(asdict(status))
    else:
        _print(status)
    if "deployed" in status.unknown:
        raise Refused(f"{stack} could not be read: {status.unknown['deployed']}")
    if status.deployed is None:
        where = f"{status.account}, {status.region}"
        raise Refused(f"There is no stack {stack} in {where}.", stacks.how_to_deploy(aws, stack))


def _print(status: Status) -> None:
    terminal.out.print(
        f"[bold]{markup.escape(status.stack)}[/] in {status.environment} "
        f"({status.account}, {status.region}), {status.at:{_MINUTE}} UTC"
    )
    shown = table.Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for part, text in _lines(status):
        shown.add_row(f"[bold]{part}[/]", text)
    for part, why in status.unknown.items():
        shown.add_row(f"[bold yellow]? {part}[/]", f"could not be asked: {markup.escape(why)}")
    terminal.out.print(shown)


def _lines(status: Status) -> Iterator[Line]:
    if status.deployed is not None:
        yield from _deployed(status.deployed)
        yield from _doing(status)
    elif "deployed" not in status.unknown:
        yield "deployed", "[yellow]nothing[/]"
    if status.release is not None:
        release, kind = status.release, "rollback" if status.release.rollback else "release"
        yield (
            "release",
            f"{release.commit[:_SHORT] or 'no commit'}, {kind} {release.execution}: {release.status}",
        )
    if "gates" not in status.unknown and status.environment in groupings.PROMOTED:
        yield "gates", "\n".join(_gates(status)) or "none"
    if status.delivery is not None:
        for measure, text in delivery.described(status.delivery).items():
            yield measure, markup.escape(text)


def _doing(status: Status) -> Iterator[Line]:
    if "smoke" not in status.unknown:
        run = status.smoke
        yield "smoke", f"{run['status']} {run['started']:{_MINUTE}}" if run else "[yellow]never ran[/]"
    if status.alarms is not None:
        yield "alarms", "\n".join(_alarms(status.alarms))
    if "parked" not in status.unknown:
        yield "parked", _parked(status)
    if status.drift:
        yield "drift", "\n".join(_drift(status))


def _deployed(deployed: Deployed) -> Iterator[Line]:
    made = f" from {deployed.commit[:_SHORT]}" if deployed.commit else ""
    yield "deployed", markup.escape(f"{deployed.state}, changed {deployed.changed:{_MINUTE}}{made}")
    versions = ", ".join(f"{version} ({share} %)" for version, share in deployed.versions.items())
    yield "live", f"workflow version {versions}" if versions else "[yellow]no version[/]"
    yield (
        "digests",
        ", ".join(f"{name} {digest[:_SHORT]}" for name, digest in sorted(deployed.digests.items())),
    )


def _alarms(stack_alarms: Alarms) -> Iterator[str]:
    for alarm in stack_alarms.ringing:
        yield f"[bold red]{alarm.name}[/] since {alarm.since:{_MINUTE}}: {markup.escape(alarm.says)}"
    if stack_alarms.unsure:
        yield f"[yellow]without data[/]: {', '.join(stack_alarms.unsure)}"
    yield f"{stack_alarms.quiet} are quiet"


def _parked(status: Status) -> str:
    if not status.parked:
        return "none"
    more = " or more" if len(status.parked) == gather.MOST_PARKED else ""
    return f"[bold red]{len(status.parked)}{more}[/]: {markup.escape(', '.join(status.parked[:5]))}"


def _drift(status: Status) -> Iterator[str]:
    for stack, changed in status.drift.items():
        if changed:
            yield f"[bold red]{markup.escape(stack)}[/]: {', '.join(changed)}"
    if not any(status.drift.values()):
        yield f"none in {', '.join(status.drift)}"


def _gates(status: Status) -> Iterator[str]:
    for gate in status.gates:
        command = f"payments pipeline approve {gate.pipeline} --execution {gate.execution}"
        yield f"[bold yellow]{gate.stage}[/] waits: {markup.escape(gate.link)}\n{terminal.runnable(command)}"


@click.command(cls=Command)
@options.endpoint_url
@options.profiles
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port. [default: a free one]")
@click.option("--allow-actions", is_flag=True, help="On AWS, let buttons answer gates and remove stacks.")
@click.option("--open", "opened", is_flag=True, help="Open it in your browser.")
@click.option("--beside", type=int, hidden=True, help="End when this process does.")
@click.option("--record", type=click.Path(path_type=Path), hidden=True, help="Where to note the address.")
@options.machine_readable
def console(
    endpoint_url: str | None,
    profiles: tuple[str, ...],
    port: int,
    *,
    allow_actions: bool,
    opened: bool,
    beside: int | None,
    record: Path | None,
    machine: bool,
) -> None:
    """Show pipelines, gates, orders and environments in the browser.

    It listens on 127.0.0.1 only. Beside an embedded AWS it shows that one, and its buttons work; without one
    it shows your accounts on AWS with your own credentials, and only shows, unless --allow-actions. Ctrl-C
    ends it.

    \b
    Examples:
      payments console --open
      payments console --profile tools=TOOLS --profile prod=PROD
    """
    shown = _console(endpoint_url, profiles, allow_actions=allow_actions)
    try:
        listener = serving.listen(port)
    except OSError as error:
        raise Refused(f"Port {port} cannot be listened on: {error.strerror}.", "payments console") from error
    address = f"http://{serving.LOOPBACK}:{listener.getsockname()[1]}/"
    link = f"{address}?key={shown.keys.entry}" if shown.keys.entry else address
    if record is not None:
        serving.note(record, link)
    terminal.finish(f"The console answers at {link}", {"address": link}, machine=machine)
    if opened:
        webbrowser.open(link)
    serving.serve(shown, listener, (lambda: serving.is_gone(beside)) if beside else None)


def _console(endpoint_url: str | None, profiles: tuple[str, ...], *, allow_actions: bool) -> Console:
    try:
        from pipelines.console.context import Console  # noqa: PLC0415 - builds have no web server
        from pipelines.console.guards import Keys  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise Refused(f"{missing.name} is not installed.", "make install") from missing
    profile_names = options.profiles_by_account(profiles)
    local = local_aws.running()
    endpoint = endpoint_url or (local.endpoint if local and not profiles else None)
    tools = options.with_profile(accounts.connect_tools(endpoint), profile_names.get("tools"))
    promoted = groupings.PROMOTED
    names = promoted if not tools.embedded else ("local", *promoted)
    environments = {
        name: options.with_profile(local_aws.connect(name, endpoint), profile_names.get(name))
        for name in names
        if name in schema.names()
    }
    keys = Keys() if tools.embedded else Keys(secrets.token_urlsafe(24))
    return Console(tools, environments, may_act=tools.embedded or allow_actions, keys=keys)
