"""`payments reconcile` and `payments settle`: is every cent and every piece where the ledger says it is?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core.refusals import Refused

with deferral.until_run():
    from rich import progress as bars

    from pipelines.cli import terminal
    from pipelines.orders import payment_stack
    from pipelines.orders.reconciliation import reconcile as reconciliation
    from pipelines.orders.reconciliation import stripe_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.aws.accounts import Aws
    from pipelines.orders.reconciliation.order_legs import Difference
    from pipelines.orders.reconciliation.reconcile import Reconciliation


@click.command(cls=Command)
@options.in_stack_of_environment
@options.machine_readable
def reconcile(aws: Aws, stack: str, machine: bool) -> None:
    """Prove balances, stock, deliveries and card payments against the ledger.

    Tells each difference with the order it belongs to, and ends with 1 if there is any. Changes nothing.

    \b
    Examples:
      payments reconcile
      payments reconcile prod --json
    """
    api = payment_stack.connect(aws, stack).api
    with _bars() as watch:
        result = reconciliation.reconcile(api, watch, stripe=stripe_account.stripe_account(aws, stack))
    if machine:
        terminal.as_json(asdict(result))
    else:
        for difference in result.differences:
            terminal.out.print(_line(difference), markup=False)
    counted = ", ".join(f"{count} {kind}" for kind, count in result.looked_at.items())
    if result.differences:
        raise Refused(f"{len(result.differences)} difference(s) in {counted} of {stack}.")
    terminal.done(f"{counted} agree with the ledger; {result.pending} order(s) are not in it yet")


@click.command(cls=Command)
@options.in_stack_of_environment
@options.machine_readable
def settle(aws: Aws, stack: str, machine: bool) -> None:
    """Bring the ledger up to date, and prune what is settled.

    Enters ended orders into the ledger, and takes the records of those that are long over out of the
    documents of products and users. Any number of times.

    \b
    Examples:
      payments settle
    """
    api = payment_stack.connect(aws, stack).api
    with terminal.progress(f"settling in {stack}") as reporter:
        done = payment_stack.settle(api, reporter)
    if machine:
        terminal.as_json(done)
        return
    message = (
        f"{done['entered']} order(s) entered, {done['settled']} settled, {done['opened']} account(s) opened"
    )
    if done["disputed"]:
        terminal.err.print(f"{done['disputed']} order(s) are left as they are: payments reconcile says why")
    terminal.done(message)


def _line(difference: Difference) -> str:
    order = f"order {difference.order_id}"
    about = (
        order
        if difference.about == order
        else f"{order if difference.order_id else 'no order'}: {difference.about}"
    )
    return f"{about}: {difference.what}: must be {difference.expected}, is {difference.found}"


@contextmanager
def _bars() -> Iterator[Callable[[Reconciliation], None]]:
    """Show a progress bar for each kind, on standard error."""
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=terminal.err, transient=True) as progress:
        tasks = {kind: progress.add_task(kind, total=None) for kind in reconciliation.KINDS}

        def watch(result: Reconciliation) -> None:
            for kind, task in tasks.items():
                total = max(result.expected[kind], result.looked_at[kind])
                progress.update(task, total=total, completed=result.looked_at[kind])

        yield watch
