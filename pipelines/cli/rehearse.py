"""`payments rehearse`: a commit from a branch to production, by the real pipelines, on this machine."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core import branch_names
from pipelines.core.refusals import Refused

with deferral.until_run():
    from embedded_aws import instance
    from pipelines.cli import embedded as up
    from pipelines.cli import local_aws, promotion_view, rehearsal_summary, terminal, views
    from pipelines.console import serving
    from pipelines.orders import payment_stack
    from pipelines.promotion import control, execution, failure_report
    from pipelines.rehearsal import rehearsal, rehearsal_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedded_aws.instance import Instance
    from embedded_aws.protected_mongod import Protected
    from pipelines.aws.accounts import Aws
    from pipelines.cli.promotion_view import View
    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.rehearsal import Rehearsal
    from pipelines.rehearsal.rehearsal_orders import OrderResult


_IN_SHORT: Final = (
    "Builds prove the money path in short here: a sample of single faults, some mutants. All of it, as on"
    " AWS: make rehearsal FULL=1"
)
_NEVER_SEEN: Final = "the first one builds and checks the whole source, later ones reuse that"


@click.command(cls=Command)
@click.option("--keep-running", is_flag=True, help="Leave the embedded AWS running, to look around in.")
@click.option("--hold", is_flag=True, help="Leave gates to the console or to `payments pipeline approve`.")
@click.option("--fresh", is_flag=True, help="Commit what was never built, so that nothing is reused.")
@click.option("--full", is_flag=True, help="Prove the whole money path, as on AWS; it takes minutes.")
@click.option(
    "--one-account", is_flag=True, help="All environments in the tools account; nothing stays running."
)
@click.option(
    "--database",
    type=click.Choice(["scram"]),
    help="A cluster of your own with TLS and a password; nothing stays running.",
)
@options.machine_readable
def rehearse(
    *,
    keep_running: bool,
    hold: bool,
    fresh: bool,
    full: bool,
    one_account: bool,
    database: str | None,
    machine: bool,
) -> None:
    """Promote a commit from a branch to production, on this machine.

    The real pipelines deploy to an embedded AWS: a commit on a branch gets a stack of its own, where sample
    orders are placed; its merge goes to staging, waits for approval, and goes to production. At a terminal
    you are asked; without a terminal it is auto-approved as `rehearsal`. Uses the embedded AWS that
    `payments up` started, or starts one and stops it at the end.

    \b
    Examples:
      payments rehearse
      payments rehearse --hold      answer the gates yourself
      payments rehearse --fresh     reuse nothing that was built before
      payments rehearse --full      prove the money path whole, not in short
      payments rehearse --one-account      branch, staging, prod and tools side by side in one account
      payments rehearse --database scram      with a MongoDB that asks for TLS and a password
      payments rehearse --json      the result for a machine; the rest on standard error
    """
    if (one_account or database) and (keep_running or hold):
        raise click.UsageError(
            "--one-account and --database leave nothing running: this checkout's files name other accounts "
            "and databases."
        )
    began, name = time.monotonic(), f"rehearse{' --fresh' * fresh}{' --full' * full}"
    with (
        terminal.results_for(machine=machine),
        embedded(keep_running=keep_running or hold) as (local, stays),
        _cluster(database) as cluster,
    ):
        terminal.err.print(f"A rehearsal takes minutes; {terminal.Durations().named(name) or _NEVER_SEEN}.")
        with terminal.progress("deploying the pipelines") as reporter:
            prepared = rehearsal.prepare(local, reporter, one_account=one_account, cluster=cluster, full=full)
        if not full:
            terminal.err.print(_IN_SHORT)
        word = datetime.now(UTC).isoformat() if fresh else ""
        since = datetime.now(UTC)
        pushed = prepared.commit(rehearsal.BRANCH, "Try something", rehearsal.a_change(word))
        follow_shown(prepared, pushed, hold=hold)
        orders = _orders(prepared)
        released = prepared.merge(rehearsal.BRANCH)
        follow_shown(prepared, released, hold=hold)
        right = rehearsal_summary.show(prepared, [pushed, released], orders, since, stays=stays)
    if machine:
        terminal.as_json(
            rehearsal_summary.plain([pushed, released], orders, local.endpoint if stays else None)
        )
    if released.status == execution.WAITING:
        return
    if not right:
        raise Refused("The rehearsal failed; see above.")
    if not hold:
        terminal.Durations().keep_named(name, time.monotonic() - began)
    terminal.done(f"{released.commit[:12]} is in production, byte for byte as staging runs it.")
    if not machine:
        terminal.out.print(terminal.runnable(_next_commands(local, stays=stays)), markup=False)


def follow_shown(prepared: Rehearsal, followed: Promotion, *, hold: bool = False) -> None:
    """Show a promotion until it ends or is left at a gate.

    Raises:
        Refused: It ended otherwise.
    """
    waiting: list[PendingApproval] = []
    with promotion_view.watching(prepared.aws, followed) as view:

        def decide(question: PendingApproval) -> tuple[bool, str] | None:
            answer = ask(question, view, hold=hold)
            # While the terminal asked, the console in the browser may have answered.
            still = control.pending_approvals(prepared.aws, followed.pipeline, followed.execution)
            return answer if question.token in {other.token for other in still} else None

        while True:
            execution.follow(prepared.aws, followed, view.show, decide)
            if followed.status == execution.WAITING:
                waiting = control.pending_approvals(prepared.aws, followed.pipeline, followed.execution)
            if followed.status != execution.WAITING or waiting:
                break
    if waiting:
        commands = how_to_answer(waiting[0], followed.pipeline, prepared.aws)
        terminal.out.print(terminal.runnable(commands), markup=False)
    elif followed.status != "Succeeded":
        rehearsal_summary.times([followed])
        rehearsal_summary.say_what_was_kept([followed])
        after = failure_report.explain(prepared.aws, followed.pipeline, followed.execution, followed.which)
        views.print_failure_report(after)
        raise Refused(f"The {followed.which} pipeline ended as {followed.status}; see above.")


@contextmanager
def embedded(*, keep_running: bool) -> Iterator[tuple[Instance, bool]]:
    """Yield the embedded AWS that runs already, or one for this rehearsal; and whether it stays."""
    running = instance.running(local_aws.ROOT)
    if running:
        terminal.err.print(f"Using the embedded AWS that runs already, at {running.endpoint}")
        if console := serving.start_beside(running.root, running.pid, running.endpoint):
            terminal.err.print(f"Watch in the browser: {console}")
        yield running, True
        return
    with terminal.progress("starting the embedded AWS and MongoDB"), local_aws.refusals():
        started = instance.start(local_aws.ROOT, attached=not keep_running, cache=local_aws.CACHE)
    terminal.err.print(f"The embedded AWS answers at {started.endpoint}, MongoDB at {started.mongodb_uri}")
    if console := serving.start_beside(started.root, started.pid, started.endpoint):
        terminal.err.print(f"Watch in the browser: {console}")
    try:
        yield started, keep_running
    finally:
        if not keep_running:
            instance.stop(local_aws.ROOT)


@contextmanager
def _cluster(database: str | None) -> Iterator[Protected | None]:
    """Run the cluster that is asked for, and end it."""
    if database is None:
        yield None
        return
    from embedded_aws import protected_mongod  # noqa: PLC0415 - slow to import, and seldom asked for

    with protected_mongod.protected() as cluster:
        terminal.err.print(f"A MongoDB that asks for TLS and a password answers at {cluster.bare_uri}")
        yield cluster


def _orders(prepared: Rehearsal) -> list[OrderResult]:
    """Place the sample orders on the branch's stack."""
    stack = payment_stack.connect(prepared.targets["branch"], branch_names.stack_name(rehearsal.BRANCH))
    with terminal.progress("placing orders") as reporter:
        return rehearsal_orders.place_samples(stack, reporter, views.Journey().print)


def _next_commands(local: Instance, *, stays: bool) -> str:
    if not stays:
        return """
The embedded AWS is stopped. To keep one and look around:

  payments rehearse --keep-running      this rehearsal, left running
  payments rehearse --hold              left waiting at the gate, for your yes or no
  payments rehearse-bad                 releases that fail, and what becomes of production
  payments --help                       everything else
"""
    stack = branch_names.stack_name(rehearsal.BRANCH)
    return f"""
The embedded AWS is running. Look around:

  export AWS_ENDPOINT_URL={local.endpoint} PAYMENTS_ENVIRONMENT=branch PAYMENTS_STACK={stack}
  payments order show order-2
  payments order place order-4
  payments pipeline status release
  payments down

{up.ways_in(local.endpoint, "branch")}"""


APPROVED: Final = (True, "approved as `rehearsal`: there was no terminal to ask at")


def ask(question: PendingApproval, view: View, *, hold: bool) -> tuple[bool, str] | None:
    """Show what an approver is shown, and return yes or no with a reason, or nothing to leave it open."""
    with view.paused():
        terminal.out.print(f"\n[bold]{question.stage}[/]: what would be released")
        terminal.out.print(question.summary, markup=False)
        rehearsal_summary.show_evidence(question)
        if console := serving.running(local_aws.ROOT):
            decide = f"{console}gates/release/{question.execution}"
            terminal.out.print(f"Decide in the browser: {decide}", markup=False)
        terminal.out.print()
        if hold:
            return None
        if not sys.stdin.isatty():
            terminal.out.print("There is no terminal to ask at: approved as `rehearsal`.", markup=False)
            return APPROVED
        yes = click.confirm("Release it?", err=True)
        reason = "" if yes else click.prompt("Why not", err=True)
        return yes, reason or "approved in a rehearsal"


def how_to_answer(question: PendingApproval, pipeline: str, tools: Aws) -> str:
    """Return the commands that answer a gate, with `payments` and with the `aws` command line."""
    endpoint, account, region = tools.endpoint, tools.environment.account, tools.environment.region
    who = f"AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=embedded AWS_DEFAULT_REGION={region}"
    return f"""The gate is left open. Answer it with one of

{views.answering(question, "release", endpoint)}
  {who} \\
    aws --endpoint-url {endpoint} codepipeline put-approval-result --pipeline-name {pipeline} \\
    --stage-name {question.stage} --action-name {question.action} --token {question.token} \\
    --result status=Approved,summary=WHY

and watch it go on with

  payments pipeline status release --endpoint-url {endpoint}
"""
