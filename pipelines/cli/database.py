"""`payments database`: an environment's database and the way to it."""

from __future__ import annotations

from dataclasses import asdict

import click

from environments import schema
from pipelines.cli import local_aws, options, terminal
from pipelines.cli.grammar import Verbs
from pipelines.deploy import connect_database

_MINUTE = 60


@click.group(cls=Verbs)
def database() -> None:
    """Connect an environment with its database."""


@database.command()
@click.argument("environment", type=click.Choice(schema.names()))
@options.endpoint_url
@options.profiles
@click.option(
    "--wait",
    "minutes",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="How long to wait for Atlas to ask.",
)
@options.machine_readable
def connect(
    environment: str, endpoint_url: str | None, profiles: tuple[str, ...], minutes: float, machine: bool
) -> None:
    """Join the network of ENVIRONMENT with its database in Atlas.

    Prints what Atlas must be told, as commands of its own CLI. Then waits for the peering connection that
    Atlas asks for, accepts it, and gives its id to the network stack, which routes to it. Run again, it goes
    on where it stopped, and changes nothing that is done.

    \b
    Examples:
      payments database connect staging
      payments database connect prod --profile prod=payments-prod --wait 120
    """
    profile = options.profiles_by_account(profiles).get(environment)
    aws = options.with_profile(local_aws.connect(environment, endpoint_url), profile)
    for what, command in connect_database.commands(aws).items():
        terminal.err.print(f"[bold]{what}[/]")
        terminal.err.print(f"  {command}", markup=False)
    with terminal.progress("connecting the database") as reporter:
        connected = connect_database.connect(aws, seconds=minutes * _MINUTE, reporter=reporter)
    if machine:
        terminal.as_json(asdict(connected))
        return
    terminal.done(
        f"{environment} reaches {aws.environment.database.cidr} through {connected.peering}; "
        f"{aws.environment.network_stack} {connected.change}."
    )
