"""`payments console`: the pipelines, gates, orders and environments in the browser."""

from __future__ import annotations

import secrets
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from environments import schema
from pipelines.aws import tools_account
from pipelines.cli import local_aws, options, terminal
from pipelines.console import serving
from pipelines.core.refusals import Refused
from pipelines.deploy.synth import PROMOTED

if TYPE_CHECKING:
    from pipelines.console.context import Console


@click.command()
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
    tools = options.with_profile(tools_account.connect(endpoint), profile_names.get("tools"))
    names = PROMOTED if not tools.embedded else ("local", *PROMOTED)
    environments = {
        name: options.with_profile(local_aws.connect(name, endpoint), profile_names.get(name))
        for name in names
        if name in schema.names()
    }
    keys = Keys() if tools.embedded else Keys(secrets.token_urlsafe(24))
    return Console(tools, environments, may_act=tools.embedded or allow_actions, keys=keys)
