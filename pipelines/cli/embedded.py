"""`payments up`, `down` and `repository`: the embedded AWS on this machine, and what its pipelines read."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command, Verbs
from pipelines.core.refusals import Refused
from pipelines.core.repository import SAMPLES

with deferral.until_run():
    from embedded_aws import instance
    from environments import schema
    from pipelines.cli import local_aws, terminal
    from pipelines.console import serving


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(1, 65535), help="The port of the endpoint. [default: a free one]")
@click.option(
    "--mongodb-port", type=click.IntRange(1, 65535), help="The port of MongoDB. [default: a free one]"
)
@click.option(
    "--keep", is_flag=True, help="Keep stacks and data for the next `payments up`, even after `down`."
)
@options.machine_readable
def up(port: int | None, mongodb_port: int | None, keep: bool, machine: bool) -> None:
    """Start the embedded AWS, and keep it running.

    It and its MongoDB listen on 127.0.0.1 only. `payments down` stops them.

    \b
    Examples:
      payments up
      payments up --port 4566 --keep
    """
    with terminal.progress("starting the embedded AWS and MongoDB"), local_aws.refusals():
        started = instance.start(
            local_aws.ROOT, port=port, mongodb_port=mongodb_port, keep=keep, cache=local_aws.CACHE
        )
    with terminal.progress("starting the console"):
        console = serving.start_beside(started.root, started.pid, started.endpoint)
    if machine:
        addresses = {"endpoint": started.endpoint, "mongodb_uri": started.mongodb_uri, "console": console}
        terminal.as_json({**addresses, "pid": started.pid})
        return
    terminal.done(f"The embedded AWS answers at {started.endpoint} (MongoDB at {started.mongodb_uri})")
    if console:
        terminal.done(f"The console answers at {console}")
    terminal.out.print(terminal.runnable(ways_in(started.endpoint, "local") + next_steps()), markup=False)


@click.command(cls=Command)
@click.option("--keep", is_flag=True, help="Keep stacks and data for the next `payments up`.")
@options.machine_readable
def down(keep: bool, machine: bool) -> None:
    """Stop the embedded AWS, if one runs.

    Without --keep nothing of it remains.

    \b
    Examples:
      payments down
      payments down --keep
    """
    try:
        with terminal.progress("stopping the embedded AWS"):
            instance.stop(local_aws.ROOT, keep=keep)
    except instance.NotRunning:
        terminal.finish("No embedded AWS was running.", {"stopped": False, "kept": False}, machine=machine)
        return
    message = "Stopped; its state is kept for the next start." if keep else "Stopped; nothing is left."
    terminal.finish(message, {"stopped": True, "kept": keep}, machine=machine)


_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


def ways_in(endpoint: str, environment: str) -> str:
    """Return what to paste into a shell to reach an environment's account on an embedded AWS."""
    account, region = schema.load(environment).account, schema.load(environment).region
    # The aws command refuses to run with a profile that no file knows, whatever keys it is given.
    profile = "".join(f"  unset {name}\n" for name in _PROFILES if name in os.environ)
    return f"""
For the aws command line (the access key is the account; any secret will do):

{profile}  export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=embedded AWS_DEFAULT_REGION={region}
  aws --endpoint-url {endpoint} cloudformation describe-stacks
  aws --endpoint-url {endpoint} stepfunctions list-state-machines
  aws --endpoint-url {endpoint} lambda list-functions
"""


def next_steps() -> str:
    """Return what to do next with an embedded AWS that was just started, as it can be pasted here."""
    return f"""
Next: payments deploy
      payments load {shlex.quote(os.path.relpath(SAMPLES))}/*.json
      payments order place order-1
Stop: payments down
"""


@click.group(cls=Verbs)
def repository() -> None:
    """Register git repositories with the embedded AWS."""


@repository.command()
@click.argument("full_name", metavar="OWNER/NAME")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@options.machine_readable
def add(full_name: str, path: Path, machine: bool) -> None:
    """Let the pipelines of the embedded AWS read the git repository at PATH as OWNER/NAME.

    A source action names it so, of whichever provider. Commits made from now on start the pipelines whose
    triggers they match.

    \b
    Examples:
      payments repository add your-company/payments .
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", full_name, re.ASCII):
        raise click.BadParameter(f"{full_name!r} is not of the form OWNER/NAME.")
    if local_aws.running() is None:
        raise Refused("The embedded AWS is not running.", "payments up")
    try:
        instance.register_repository(local_aws.ROOT, full_name, path)
    except instance.RepositoryUnavailable as error:
        raise Refused(f"{path.resolve()} is not a git repository.", "git init") from error
    terminal.finish(
        f"The embedded AWS reads {path.resolve()} as {full_name}.",
        {"repository": full_name, "path": str(path.resolve())},
        machine=machine,
    )
