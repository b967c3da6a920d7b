"""Whether the rights, keys and network of every payment method stay that an unfinished order was paid by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from payment_data.errors import Problem
from pipelines.aws import stacks
from pipelines.doctor.findings import Diagnosis, failed, unknown, well
from pipelines.orders import payment_stack
from pipelines.orders.orders import listed

if TYPE_CHECKING:
    from payment_data.client import DataApi
    from pipelines.aws.accounts import Aws

_UNFINISHED: Final = ("RESERVED", "PAID", "CANCELLING", "NEEDS_ATTENTION")
_MOST: Final = 10_000
"""Orders of a state that are looked at, the longest unchanged first."""


def kept(aws: Aws) -> Diagnosis:
    """Check that the environment lists every payment method that an unfinished order was paid by."""
    name = aws.environment.default_stack
    if stacks.status(aws, name) is None:
        return well(f"There is no stack {name} yet, and no order in it")
    try:
        dropped = unlisted(payment_stack.connect(aws, name).api, aws.environment.payment_methods)
    except Problem as problem:
        return unknown(f"The data API answered: {problem}", "Try again later.")
    if not dropped:
        return well("Every unfinished order is paid by a method that the environment lists")
    counts = ", ".join(f"{count} by {method}" for method, count in sorted(dropped.items()))
    return failed(
        f"Unfinished orders are paid by methods that the environment does not list: {counts}",
        f"Add them to also_refunds in environments/{aws.environment.name}.yml and deploy; leave them there"
        " until those orders have ended.",
    )


def unlisted(api: DataApi, methods: tuple[str, ...]) -> Counter[str]:
    """Return how many unfinished orders are paid by a method that is none of these, by method."""
    return Counter(
        order["paid_by"]
        for state in _UNFINISHED
        for order in listed(api, state, _MOST)
        if order.get("paid_by") not in (None, *methods)
    )
