"""`payments branch`: the stacks that branches have."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Verbs
from pipelines.core import branch_names
from pipelines.core.refusals import Refused

with deferral.until_run():
    from pipelines.aws import accounts, build_environment
    from pipelines.cli import local_aws, terminal
    from pipelines.promotion import branches, control

_INSPECTION = "BRANCH_INSPECTION_ROLE"


@click.group(cls=Verbs)
def branch() -> None:
    """Show and remove the stacks of branches."""


@branch.command()
@options.machine_readable
def name(machine: bool) -> None:
    """Print the stack name of the branch in the variable BRANCH.

    \b
    Examples:
      BRANCH=feature/tea payments branch name
    """
    _print(branch_names.from_environment(), "stack", machine=machine)


@branch.command()
@options.machine_readable
def pipeline(machine: bool) -> None:
    """Print the name of the pipeline that started this build.

    \b
    Examples:
      payments branch pipeline
    """
    _print(build_environment.pipeline_name(), "pipeline", machine=machine)


@branch.command()
@options.machine_readable
def show(machine: bool) -> None:
    """Print whose stack BRANCH has, for whoever approves its removal.

    \b
    Examples:
      BRANCH=feature/tea payments branch show
    """
    stack = branch_names.from_environment()
    stacks = [other for other in branches.listed(_branch_account(None)) if other.stack == stack]
    if machine:
        terminal.as_json(asdict(stacks[0]) if stacks else None)
        return
    click.echo(
        branches.removal_summary(stacks[0])
        if stacks
        else f"There is no stack {stack}; nothing will be deleted."
    )


@branch.command("list")
@options.endpoint_url
@options.machine_readable
def list_stacks(endpoint_url: str | None, machine: bool) -> None:
    """List the branch stacks, the longest without a push first.

    \b
    Examples:
      payments branch list
      payments branch list --json
    """
    with terminal.progress("reading stacks"):
        stacks = branches.listed(_branch_account(endpoint_url))
    if machine:
        terminal.as_json([asdict(shown) for shown in stacks])
        return
    now = datetime.now(UTC)
    rows = [
        (
            shown.stack,
            shown.branch,
            f"{(now - shown.pushed).days} d",
            shown.owner,
            shown.last_smoke,
            shown.status,
        )
        for shown in stacks
    ]
    columns = ("stack", "branch", "age", "owner", "last smoke", "status")
    terminal.out.print(terminal.table("Branch stacks", columns, rows, long=("branch", "owner")))


@branch.command()
@click.argument("branch_name", metavar="BRANCH")
@options.endpoint_url
@options.machine_readable
def remove(branch_name: str, endpoint_url: str | None, machine: bool) -> None:
    """Propose the removal of BRANCH's stack.

    The pipeline remove-branch asks a person before it deletes anything.

    \b
    Examples:
      payments branch remove feature/tea
    """
    branch_names.removable(branch_names.stack_name(branch_name))
    tools = accounts.connect_tools(endpoint_url)
    pipeline = control.name_of(tools, "remove-branch")
    with terminal.progress("proposing the removal"):
        execution = branches.propose_removal(tools, pipeline, branch_name)
    stack = branch_names.stack_name(branch_name)
    result = {"stack": stack, "pipeline": pipeline, "execution": execution}
    terminal.finish(f"The removal of {stack} is proposed: {execution}", result, machine=machine)
    if not machine:
        where = f" --endpoint-url {endpoint_url}" if endpoint_url else ""
        terminal.out.print(terminal.runnable(f"payments pipeline approve remove-branch{where}"), markup=False)


@branch.command()
@options.machine_readable
def expire(machine: bool) -> None:
    """Propose the removal of stacks without a push for EXPIRY_DAYS.

    \b
    Examples:
      EXPIRY_DAYS=14 REMOVE_BRANCH_PIPELINE=NAME payments branch expire
    """
    days = build_environment.variable("EXPIRY_DAYS")
    if not days.isdigit():
        raise Refused(f"EXPIRY_DAYS is {days!r}, not a number of days.")
    pipeline, tools = build_environment.variable("REMOVE_BRANCH_PIPELINE"), accounts.connect_tools()
    proposed = {}
    for expired in branches.expired(branches.listed(_branch_account(None)), int(days)):
        if not expired.nameable:
            terminal.refuse(
                f"{expired.stack} has expired, but its tag cannot hold its branch's name.",
                "payments branch remove BRANCH",
            )
            continue
        try:
            execution = branches.propose_removal(tools, pipeline, expired.branch)
        except Refused as refusal:
            terminal.err.print(f"  {refusal.message}", markup=False)
        else:
            proposed[expired.stack] = execution
            if not machine:
                last = f"{expired.pushed:%Y-%m-%d}"
                terminal.done(f"{expired.stack}, last pushed to {last}: removal proposed, {execution}")
    if machine:
        terminal.as_json({"pipeline": pipeline, "proposed": proposed})


def _print(answer: str, what: str, *, machine: bool) -> None:
    """Print the one word that a build asks for; to a machine, under the name of what it is."""
    if machine:
        terminal.as_json({what: answer})
    else:
        click.echo(answer)


def _branch_account(endpoint_url: str | None) -> accounts.Aws:
    """Return the branches' account, as its inspection role where a pipeline names one, else as the caller."""
    return (
        build_environment.looking_at("branch")
        if _INSPECTION in os.environ
        else local_aws.connect("branch", endpoint_url)
    )
