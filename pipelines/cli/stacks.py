"""`payments deploy`, `database`, `smoke` and `remove`: an environment's stacks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from environments import file_names
from pipelines.cli import deferral, names, options
from pipelines.cli.grammar import Command, Verbs
from pipelines.core.refusals import Refused

with deferral.until_run():
    from environments import tools as tools_file
    from pipelines.aws import stacks
    from pipelines.build import packaging
    from pipelines.cli import local_aws, terminal
    from pipelines.deploy import artifacts, connect_database, deployment, removal
    from pipelines.orders import payment_stack
    from pipelines.orders import smoke as smoke_runs

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.orders.smoke import SmokeReport


@click.command(cls=Command)
@click.argument(
    "environment",
    envvar="PAYMENTS_ENVIRONMENT",
    default="local",
    type=options.ENVIRONMENT,
)
@options.endpoint_url
@options.stack_name
@click.option(
    "--artifact-bucket",
    envvar="PAYMENTS_PACKAGE_BUCKET",
    metavar="BUCKET",
    help="Where packages are uploaded to; needed on AWS.",
)
@options.machine_readable
def deploy(
    environment: str, endpoint_url: str | None, stack: str | None, artifact_bucket: str | None, machine: bool
) -> None:
    """Deploy an environment: network and payments.

    ENVIRONMENT is local, branch, staging or prod. What has not changed is left alone, so deploying twice
    does nothing the second time.

    \b
    Examples:
      payments deploy
      payments deploy staging --artifact-bucket my-packages
    """
    aws = local_aws.connect(environment, endpoint_url)
    bucket = artifacts.bucket(aws, artifact_bucket)  # a refusal must not wait for the packages
    with terminal.progress(f"deploying {environment}") as reporter:
        manifest = packaging.build(progress=lambda name: reporter.passing(f"packaged {name}"))
        result = deployment.deploy(aws, manifest, stack=stack, artifact_bucket=bucket, reporter=reporter)
    for name, change in result.changes.items():
        terminal.done(f"{name} {change}")
    outputs = stacks.outputs(aws, result.stack)
    if machine:
        terminal.as_json({"stack": result.stack, "changes": result.changes, "outputs": outputs})
        return
    width = max(map(len, outputs), default=0)
    for key, value in sorted(outputs.items()):
        terminal.out.print(f"{key:{width}} {value}", markup=False)


@click.command(cls=Command)
@click.argument(
    "environment",
    envvar="PAYMENTS_ENVIRONMENT",
    default="local",
    type=names.EnvironmentName(file_names.TOOLS),
)
@click.option("--everything", is_flag=True, help="All of ENVIRONMENT, or of `tools`, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.endpoint_url
@options.stack_name
@options.profiles
@options.machine_readable
def remove(
    environment: str,
    endpoint_url: str | None,
    stack: str | None,
    profiles: tuple[str, ...],
    *,
    everything: bool,
    yes: bool,
    machine: bool,
) -> None:
    """Delete a payments stack, or everything of an environment.

    The network stays, and so does the stack's database. With --everything go all stacks of ENVIRONMENT, its
    network and its roles, and then what stacks keep on purpose: keys, log groups, buckets, the role that API
    Gateway logs with. It says first what that is, production's included; no database is touched. ENVIRONMENT
    may be `tools` then: the pipelines, the docs, and their stores.

    \b
    Examples:
      payments remove
      payments remove branch --stack branch-my-first-change-abc234 --yes
      payments remove staging --everything --profile staging=PROFILE
    """
    if everything:
        _remove_everything(environment, endpoint_url, profiles, yes=yes, machine=machine)
        return
    if environment == file_names.TOOLS:
        raise click.UsageError(f"{environment} is no environment: it is removed with --everything alone.")
    aws = local_aws.connect(environment, endpoint_url)
    _remove_stack(aws, stack or aws.environment.default_stack, yes=yes, machine=machine)


def _remove_everything(
    environment: str, endpoint_url: str | None, profiles: tuple[str, ...], *, yes: bool, machine: bool
) -> None:
    tools = tools_file.load()
    profile = options.profiles_by_account(profiles).get(environment)
    aws = options.with_profile(removal.connect(environment, tools, endpoint_url), profile)
    removable = removal.find(aws, tools)
    for stack in removable.stacks:
        terminal.err.print(f"  stack {stack.name}", markup=False)
    for resource in removable.kept:
        where = f", kept by {resource.stack}" if resource.stack else ""
        terminal.err.print(f"  {resource.kind} {resource.name}{where}", markup=False)
    count = len(removable.stacks) + len(removable.kept)
    if not count:
        raise Refused(f"There is nothing of {environment} in {aws.environment.account}.")
    where = f"in account {aws.environment.account}, {aws.environment.region}"
    question = f"Remove these {count} {where}, for good? Type {environment}"
    if not yes and click.prompt(question, default="", show_default=False, err=True) != environment:
        raise Refused("Nothing was removed.")
    with terminal.progress(f"removing {environment}") as reporter:
        stays = removal.remove(aws, removable, reporter)
    for sentence in stays:
        terminal.err.print(sentence, markup=False)
    gone = {"stacks": [stack.name for stack in removable.stacks], "stays": stays}
    terminal.finish(f"{environment} is removed", gone, machine=machine)


def _remove_stack(aws: Aws, stack: str, *, yes: bool, machine: bool) -> None:
    if aws.environment.production:
        raise Refused(
            f"{aws.environment.name} is a production environment; its stacks are never removed here."
        )
    if not yes and not click.confirm(f"Delete the stack {stack}?", err=True):
        raise Refused("Nothing was deleted.")
    with terminal.progress(f"deleting {stack}") as reporter:
        existed = stacks.delete(aws, stack, reporter)
    if not existed:
        raise Refused(f"There is no stack {stack}.")
    terminal.finish(f"{stack} is deleted", {"stack": stack, "deleted": True}, machine=machine)


_MINUTE = 60


@click.group(cls=Verbs)
def database() -> None:
    """Connect an environment with its database."""


@database.command()
@click.argument("environment", type=options.ENVIRONMENT)
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


@click.command(cls=Command)
@options.in_stack_of_environment
@options.machine_readable
def smoke(aws: Aws, stack: str, machine: bool) -> None:
    """Prove a deployment with synthetic orders.

    They go through the live alias, are checked and removed again.

    \b
    Examples:
      payments smoke
      payments smoke staging --json
    """
    with terminal.progress(f"smoke of {stack}") as reporter:
        report = smoke_runs.run(payment_stack.connect(aws, stack), reporter)
    if machine:
        terminal.as_json(asdict(report))
    else:
        print_checks(report)
    if not report.passed:
        raise Refused(f"Smoke of {stack} failed: {report.error} {report.cause}".strip())
    terminal.done(f"Smoke of {stack} passed")


def print_checks(report: SmokeReport) -> None:
    """Print each check with its result."""
    for check in report.checks:
        verdict = "[green]✓[/]" if check.ok else "[bold red]✗[/]"
        terminal.out.print(f"  {verdict} ", end="")
        terminal.out.print(f"{check.name}: {check.detail}", markup=False)
