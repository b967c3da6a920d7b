"""Parameters of a request: which are taken, which are only kept for show, and whether they are right."""

from collections.abc import Collection
from typing import Any

from embedded_aws.card_gateway import faults

Params = dict[str, Any]
LARGEST_AMOUNT = 99_999_999
"""Eight digits, in minor units (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""


def check_known(params: Params, known: Collection[str]) -> None:
    """Refuse a parameter that Stripe does not know either."""
    for name in params:
        if name not in known:
            raise faults.invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")


def required(params: Params, name: str) -> Any:
    """Take a parameter that must be there."""
    if params.get(name) in (None, ""):
        raise faults.invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return params[name]


def amount(params: Params, name: str = "amount") -> int | None:
    """Take an amount in minor units, None if it is not given."""
    given = params.get(name)
    if given is None:
        return None
    try:
        value = int(str(given))
    except ValueError:
        raise faults.invalid(
            f"Invalid integer: {given}", param=name, code="parameter_invalid_integer"
        ) from None
    if value < 1:
        message = f"This value must be greater than or equal to 1 (it currently is '{value}')."
        raise faults.invalid(message, param=name, code="parameter_invalid_integer")
    if value > LARGEST_AMOUNT:
        message = f"Amount must be no more than {LARGEST_AMOUNT}."
        raise faults.invalid(message, param=name, code="amount_too_large")
    return value


def flag(params: Params, name: str) -> bool:
    """Take a boolean, false if it is not given."""
    return str(params.get(name, "false")).lower() == "true"


def listing(params: Params) -> tuple[int, str | None]:
    """Take a page's size and the id it starts after."""
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:  # noqa: PLR2004 - Stripe's limit (https://docs.stripe.com/api/pagination)
        raise faults.invalid("Limit must be between 1 and 100.", param="limit")
    return limit, params.get("starting_after")
