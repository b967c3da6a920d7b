"""`payments order`: place, show, trace, list, redrive, complete and adjust orders."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from payment_data.errors import Problem
from payment_data.payment_methods.names import NAMES, STRIPE
from pipelines.cli import deferral, options
from pipelines.cli.grammar import Verbs
from pipelines.core.refusals import Refused
from pipelines.orders.states import PARKED, STATES

with deferral.until_run():
    from pipelines.aws import executions
    from pipelines.cli import terminal, views
    from pipelines.orders import orders, payment_stack, trace
    from pipelines.orders.reconciliation import stripe_account

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.orders.orders import Effect, Holdings
    from pipelines.orders.payment_stack import PaymentStack

_ENDED = {"COMPLETED", "FAILED"}
"""The states of orders that are over, whose executions a redrive would only end once more."""
_HOURS = "How far back to read logs of an order that has no execution."


@click.group(cls=Verbs)
def order() -> None:
    """Place, show, trace, list, redrive, complete and adjust orders."""


@order.command()
@click.argument("order_id", type=options.ID, metavar="ID")
@options.in_stack
@options.machine_readable
def place(aws: Aws, stack: str, order_id: str, machine: bool) -> None:
    """Place an order and follow it until it ends; ends with 1 when the payment fails.

    \b
    Examples:
      payments order place order-1
      payments order place order-1 --json
    """
    payments = payment_stack.connect(aws, stack)
    before = orders.holdings(payments.api, order_id)
    placed = orders.place(payments, order_id)
    if not placed.new:
        terminal.err.print(f"Order {order_id} was placed before, at {placed.started:%Y-%m-%d %H:%M:%S %Z}:")
    followed = views.print_journey(executions.follow(aws, placed.arn))
    changes = _effects(payments, order_id, before)
    end = followed[-1]
    if machine:
        effects = [asdict(effect) for effect in changes]
        terminal.as_json({**views.outcome(order_id, followed), "execution": placed.arn, "effects": effects})
    elif placed.new:
        views.print_effects(changes)
    if end.state != "SUCCEEDED":
        why = f"Order {order_id}: payment failed: {end.error}: {end.cause}"
        raise Refused(why, f"payments order show {order_id}")
    terminal.done(f"Order {order_id} is placed")


def _effects(payments: PaymentStack, order_id: str, before: Holdings) -> list[Effect]:
    """Return what an order changed, nothing where that cannot be read: the order has ended all the same."""
    try:
        return orders.effects(before, orders.holdings(payments.api, order_id))
    except Problem as problem:
        why = f"{type(problem).__name__}: {problem}"
        terminal.err.print(f"The effects could not be read: {why}", markup=False)
        return []


@order.command()
@click.argument("order_id", type=options.ID, metavar="ID")
@options.in_stack
@options.machine_readable
def show(aws: Aws, stack: str, order_id: str, machine: bool) -> None:
    """Show an order: its state and history, what it took, its deliveries, and why it failed if it did.

    \b
    Examples:
      payments order show order-1
    """
    payments = payment_stack.connect(aws, stack)
    arn = orders.execution_arn(payments, order_id)
    with terminal.progress("reading the order"):
        record = orders.record(payments.api, order_id)
        status = executions.status(aws, arn)
        moments = executions.moments(aws, arn) if status else []
    if record.order is None and not record.failures and status is None:
        raise Refused(f"There is no order {order_id} in {stack}.")
    if machine:
        execution = {"arn": arn, "status": status, "moments": [asdict(moment) for moment in moments]}
        terminal.as_json({**asdict(record), "execution": execution})
        return
    views.print_record(order_id, record, status, moments)


@order.command("trace")
@click.argument("order_id", type=options.ID, metavar="ID")
@click.option("--hours", type=click.IntRange(1), default=24, show_default=True, help=_HOURS)
@options.in_stack
@options.machine_readable
def trace_order(aws: Aws, stack: str, order_id: str, *, hours: int, machine: bool) -> None:
    """Tell an order's story from logs and its execution alone: works while the data API does not.

    \b
    Examples:
      payments order trace order-1
      payments order trace order-1 --json
    """
    since = datetime.now(UTC) - timedelta(hours=hours)
    with terminal.progress("reading logs"):
        happenings = trace.trace(payment_stack.connect(aws, stack), order_id, since=since)
    if not happenings:
        raise Refused(f"No log of the last {hours} hours and no execution in {stack} knows order {order_id}.")
    if machine:
        terminal.as_json({"order_id": order_id, "happenings": [asdict(one) for one in happenings]})
        return
    views.print_trace(happenings)


@order.command("list")
@click.option("--parked", is_flag=True, help="Only those that need attention: fix the cause, then redrive.")
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@options.in_stack
@options.machine_readable
def list_orders(aws: Aws, stack: str, *, parked: bool, state: str | None, limit: int, machine: bool) -> None:
    """List orders, the longest unchanged first.

    \b
    Examples:
      payments order list
      payments order list --parked --json
    """
    if parked and state not in (None, PARKED):
        raise click.UsageError(f"--parked means --state {PARKED}")
    wanted = PARKED if parked else state
    with terminal.progress("reading orders"):
        listed = list(orders.listed(payment_stack.connect(aws, stack).api, wanted, limit))
    if machine:
        terminal.as_json({"orders": listed})
        return
    if not listed:
        terminal.done("No order is parked" if parked else "There is no such order")
        return
    views.print_list(listed)


@order.command()
@click.argument("order_id", type=options.ID, metavar="ID")
@options.in_stack
@options.machine_readable
def redrive(aws: Aws, stack: str, order_id: str, machine: bool) -> None:
    """Redrive a parked order, and follow it until it ends.

    Fix what stopped it first. Ends with 0 once the order is completed, or failed with everything undone, and
    with 1 if it is parked again.

    \b
    Examples:
      payments order list --parked
      payments order redrive order-1
    """
    payments = payment_stack.connect(aws, stack)
    before = orders.state(payments.api, order_id)
    if before != PARKED:
        why = "there is nothing to redrive" if before in _ENDED else "only a parked order is redriven"
        raise Refused(f"Order {order_id} is {before}: {why}.", "payments order list --parked")
    followed = views.print_journey(orders.redrive(payments, order_id))
    end, state = followed[-1], orders.state(payments.api, order_id)
    if machine:
        terminal.as_json({**views.outcome(order_id, followed), "state": state})
    if end.state != "SUCCEEDED" and state != "FAILED":
        raise Refused(
            f"Order {order_id} is {state} after the redrive: {end.error}: {end.cause}",
            f"payments order show {order_id}",
        )
    undone = f", everything undone ({end.error})" if end.error else ""
    terminal.done(f"Order {order_id} is {state}{undone}")


@order.command()
@click.argument("order_id", type=options.ID, metavar="ID")
@click.option("--paid-by", type=click.Choice(NAMES), required=True, help="How it was paid.")
@options.in_stack
@options.machine_readable
def complete(aws: Aws, stack: str, order_id: str, *, paid_by: str, machine: bool) -> None:
    """Complete an order that was delivered, and that a restored backup knows in an earlier state.

    Only for a parked order whose execution succeeded. What the restore took away is done again: its products
    are held, and its user's credit is charged. Money at Stripe is not moved: the PaymentIntent that took the
    order's total there is looked for, and recorded again.

    \b
    Examples:
      payments order list --parked
      payments order complete order-1 --paid-by credit
    """
    payments = payment_stack.connect(aws, stack)
    arn = orders.execution_arn(payments, order_id)
    status = executions.status(aws, arn)
    if status != "SUCCEEDED":
        raise Refused(
            f"Order {order_id} cannot be completed: its execution {status or 'does not exist'}.",
            f"payments order show {order_id}",
        )
    with terminal.progress("completing the order"):
        intent = None
        if paid_by in STRIPE:
            asked = (stripe_account.stripe_account(aws, stack), payments.api.order(order_id))
            intent = stripe_account.intent_of(*asked, executions.started(aws, arn))
        deliveries = payments.api.complete_lost(
            order_id, execution=arn, method=paid_by, payment_intent=intent
        )["deliveries"]
    if machine:
        terminal.as_json({"order_id": order_id, "state": "COMPLETED", "deliveries": deliveries})
        return
    terminal.done(f"Order {order_id} is COMPLETED, {len(deliveries)} deliveries on record")


@order.command()
@click.argument("order_id", type=options.ID, metavar="ID")
@options.in_stack
@options.machine_readable
def adjust(aws: Aws, stack: str, order_id: str, *, machine: bool) -> None:
    """Record refunds, failed refunds and disputes of an order that Stripe has and the workflow did not make.

    Each gets its legs in the ledger, once. Moves no money.

    \b
    Examples:
      payments order adjust order-1
    """
    payments = payment_stack.connect(aws, stack)
    with terminal.progress("comparing the order with Stripe"):
        stripe = stripe_account.stripe_account(aws, stack)
        adjusted = stripe_account.adjust_order(payments.api, stripe, order_id)
    if machine:
        terminal.as_json({"order_id": order_id, "adjustments": [move._asdict() for move in adjusted]})
        return
    for move in adjusted:
        terminal.out.print(f"  {move.kind} {move.id}: {move.amount} minor units", markup=False)
    terminal.done(f"{len(adjusted)} adjustment(s) of order {order_id} recorded")
