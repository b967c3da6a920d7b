"""`payments load`, `stock`, `price`, `credit` and `wallet`: what a shop changes from outside, each once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from payment_data.errors import Problem
from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command, Verbs
from pipelines.core.refusals import Refused

with deferral.until_run():
    from payment_data import money
    from pipelines.cli import terminal
    from pipelines.orders import payment_stack, samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws


@click.command(cls=Command)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, path_type=Path)
)
@options.in_stack
@options.machine_readable
def load(aws: Aws, stack: str, files: tuple[Path, ...], machine: bool) -> None:
    """Load products, users and orders from files.

    They are JSON, like those in environments/samples. Every file is checked first, and nothing is loaded
    when anything is wrong. Loading twice is safe.

    \b
    Examples:
      payments load environments/samples/*.json
      payments load -e branch my-orders.json
    """
    sample_documents = samples.read(files, aws.environment.currency)
    with terminal.progress(f"loading into {stack}") as reporter:
        counts = samples.load(payment_stack.connect(aws, stack).api, sample_documents, reporter)
    if machine:
        terminal.as_json(counts)
        return
    terminal.done(f"{stack} has " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))


@click.group(cls=Verbs)
def stock() -> None:
    """Add stock to a product."""


@stock.command("add")
@click.argument("product_id", type=options.ID, metavar="PRODUCT")
@click.argument("quantity", type=click.IntRange(1), metavar="PIECES")
@click.option(
    "--id",
    "restock_id",
    type=options.ID,
    required=True,
    metavar="ID",
    help="Of this restock, as a delivery note's number.",
)
@options.in_stack
@options.machine_readable
def add_stock(
    aws: Aws, stack: str, product_id: str, quantity: int, restock_id: str, *, machine: bool
) -> None:
    """Add pieces to a product's stock, once for each ID.

    \b
    Examples:
      payments stock add tea 20 --id delivery-4711
    """
    api = payment_stack.connect(aws, stack).api
    product = _change(product_id, partial(api.restock, product_id, restock_id, quantity=quantity))
    _tell(product, machine=machine, message=f"{product_id}: {product['available']} available")


@click.group(cls=Verbs)
def price() -> None:
    """Set the price of a product."""


@price.command("set")
@click.argument("product_id", type=options.ID, metavar="PRODUCT")
@click.argument("amount", metavar="AMOUNT")
@options.in_stack
@options.machine_readable
def set_price(aws: Aws, stack: str, product_id: str, amount: str, *, machine: bool) -> None:
    """Set a product's price, in major units of its currency; orders keep the price they were created with.

    \b
    Examples:
      payments price set tea 4.95
    """
    api = payment_stack.connect(aws, stack).api
    currency = _change(product_id, partial(api.product, product_id))["currency"]
    product = _change(product_id, partial(api.reprice, product_id, price=_minor(amount, currency)))
    shown = money.format_major(product["price"], product["currency"])
    _tell(product, machine=machine, message=f"{product_id} costs {shown} {product['currency']}")


@click.group(cls=Verbs)
def credit() -> None:
    """Add credit to a user's balance."""


@credit.command("add")
@click.argument("user_id", type=options.ID, metavar="USER")
@click.argument("amount", metavar="AMOUNT")
@click.option(
    "--id",
    "top_up_id",
    type=options.ID,
    required=True,
    metavar="ID",
    help="Of this top-up, as a transfer's number.",
)
@options.in_stack
@options.machine_readable
def add_credit(aws: Aws, stack: str, user_id: str, amount: str, top_up_id: str, *, machine: bool) -> None:
    """Add credit to a user's balance, in major units of its currency, once for each ID.

    \b
    Examples:
      payments credit add ada 25.00 --id transfer-4711
    """
    api = payment_stack.connect(aws, stack).api
    currency = _change(user_id, partial(api.user, user_id))["currency"]
    top_up = partial(api.top_up, user_id, top_up_id, amount=_minor(amount, currency), currency=currency)
    user = _change(user_id, top_up)
    shown = money.format_major(user["balance"], user["currency"])
    _tell(user, machine=machine, message=f"{user_id} has {shown} {user['currency']}")


@click.group(cls=Verbs)
def wallet() -> None:
    """Set what a user pays with at Stripe."""


@wallet.command("set")
@click.argument("user_id", type=options.ID, metavar="USER")
@click.option("--customer", metavar="cus_…", help="The user's customer at Stripe.")
@click.option("--card", metavar="pm_…", help="The payment method that a card order is paid with.")
@click.option("--bank-account", metavar="pm_…", help="The payment method that a bank debit is taken from.")
@options.in_stack
@options.machine_readable
def set_wallet(aws: Aws, stack: str, user_id: str, *, machine: bool, **means: str | None) -> None:
    """Set everything a user pays with at Stripe; what is not named is taken out.

    A payment that has begun keeps what it began with.

    \b
    Examples:
      payments wallet set ada --customer cus_1 --card pm_1
    """
    api = payment_stack.connect(aws, stack).api
    named = {name: value for name, value in means.items() if value}
    user = _change(user_id, partial(api.change_wallet, user_id, named))
    _tell(user, machine=machine, message=f"{user_id} pays with {', '.join(named) or 'nothing at Stripe'}")


def _change(key: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the data API's answer to a change.

    Raises:
        Refused: It refused.
    """
    try:
        with terminal.progress("asking the data API"):
            return ask()
    except Problem as problem:
        raise Refused(f"{key} was not changed: {type(problem).__name__}: {problem}") from problem


def _minor(amount: str, currency: str) -> int:
    try:
        return money.parse_major(amount, currency)
    except money.AmountError as error:
        raise Refused(f"{amount!r} is no amount: it {error}.") from error


def _tell(document: dict[str, Any], *, machine: bool, message: str) -> None:
    if machine:
        terminal.as_json(document)
        return
    terminal.done(message)
