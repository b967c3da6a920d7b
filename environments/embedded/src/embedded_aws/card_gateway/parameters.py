"""The parameters of a request, checked as Stripe checks them.

Which amounts Stripe takes in which currency (https://docs.stripe.com/currencies), in Stripe's own units.

A table of its own: a client that sends another unit is refused, as Stripe refuses it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from embedded_aws.card_gateway import faults

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


LARGEST_AMOUNT = 99_999_999
"""Eight digits. Stripe takes more in a few currencies."""
MULTIPLE_OF: Mapping[str, int] = {
    "isk": 100,
    "ugx": 100,
    "bhd": 10,
    "jod": 10,
    "kwd": 10,
    "omr": 10,
    "tnd": 10,
}
"""Amounts in these end in zeros: two decimals that no longer exist, or a third that cards do not carry."""
MINIMUM: Mapping[str, int] = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
"""Where the account settles in the charge's currency, as this one does; 1 in every other currency."""
UNKNOWN = frozenset(
    [
        *("btn", "clf", "cup", "ern", "ghs", "iqd", "irr", "kpw", "lyd", "mru", "sdg", "ssp", "svc", "syp"),
        *("tmt", "uyi", "uyw", "ved", "ves", "zwg"),
    ]
)
"""Currencies of ISO 4217 that Stripe does not charge."""


def check_charge(amount: int, currency: str) -> None:
    """Refuse an amount that cannot be charged.

    Args:
        amount: in Stripe's units.
        currency: ISO 4217, lower case.

    Raises:
        Fault: an unknown currency, too little, or a fraction of the smallest unit that can be charged.
    """
    if currency in UNKNOWN:
        raise faults.invalid(f"Invalid currency: {currency}.", param="currency")
    if amount % MULTIPLE_OF.get(currency, 1):
        message = f"Invalid amount: it must be divisible by {MULTIPLE_OF[currency]} in {currency}."
        raise faults.invalid(message, param="amount", code="parameter_invalid_integer")
    if amount < MINIMUM.get(currency, 1):
        message = f"Amount must be at least {MINIMUM[currency]} {currency}."
        raise faults.invalid(message, param="amount", code="amount_too_small")
