"""The parameters of a request, checked as Stripe checks them."""

from collections.abc import Collection
from typing import Any

from embedded_aws.card_gateway import faults
from embedded_aws.card_gateway.currencies import LARGEST_AMOUNT

Params = dict[str, Any]


def check_known(params: Params, names: Collection[str]) -> None:
    """Refuse a parameter that Stripe does not know either.

    Raises:
        Fault: there is one.
    """
    for name in params:
        if name not in names:
            raise faults.invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")


def required(params: Params, name: str) -> Any:
    """Return a parameter that must be there.

    Raises:
        Fault: it is not.
    """
    if params.get(name) in (None, ""):
        raise faults.invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return params[name]


def amount(params: Params, name: str = "amount") -> int | None:
    """Return an amount in Stripe's units, None if it is not given.

    Raises:
        Fault: it is no integer, or out of bounds.
    """
    text = params.get(name)
    if text is None:
        return None
    try:
        value = int(str(text))
    except ValueError:
        raise faults.invalid(
            f"Invalid integer: {text}", param=name, code="parameter_invalid_integer"
        ) from None
    if value < 1:
        message = f"This value must be greater than or equal to 1 (it currently is '{value}')."
        raise faults.invalid(message, param=name, code="parameter_invalid_integer")
    if value > LARGEST_AMOUNT:
        message = f"Amount must be no more than {LARGEST_AMOUNT}."
        raise faults.invalid(message, param=name, code="amount_too_large")
    return value


def flag(params: Params, name: str) -> bool:
    """Return a boolean, false if it is not given."""
    return str(params.get(name, "false")).lower() == "true"


def listing(params: Params) -> tuple[int, str | None]:
    """Return a page's size and the id it starts after.

    Raises:
        Fault: the size is out of bounds.
    """
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:  # noqa: PLR2004 - Stripe's limit (https://docs.stripe.com/api/pagination)
        raise faults.invalid("Limit must be between 1 and 100.", param="limit")
    return limit, params.get("starting_after")


def created_since(params: Params) -> float:
    """Return from when on a list is asked for, in seconds since 1970; 0 where it is not said."""
    return float((params.get("created") or {}).get("gte", 0))
