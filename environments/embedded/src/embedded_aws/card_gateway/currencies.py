"""Which amounts Stripe takes in which currency (https://docs.stripe.com/currencies), in Stripe's own units.

A table of its own: a client that sends another unit is refused, as Stripe refuses it.
"""

from collections.abc import Mapping

from embedded_aws.card_gateway import faults

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
