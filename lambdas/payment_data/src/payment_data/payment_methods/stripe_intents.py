"""What a payment asks of Stripe, in our words, and amounts as Stripe counts them, exactly or not at all.

`stripe_gateway` asks it; nothing of Stripe's is imported here. Stripe's units are not ISO 4217's everywhere
(https://docs.stripe.com/currencies#minor-units): the ariary has no decimals there, the króna and the Ugandan
shilling have two that must be zero, and a three-decimal amount must end in zero. The card gateway keeps a
table of its own, so that a mistake here is seen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from payment_data import money


class Refused(Exception):  # noqa: N818 - an answer, like a decline
    """Stripe will never make this PaymentIntent; the message is the reason to record."""


class KeySpent(Exception):  # noqa: N818 - an answer: ask with another key
    """An idempotency key only repeats what it was answered with before, and that was no refund.

    Stripe keeps the first answer of a key for a day, a 5xx too (https://docs.stripe.com/api/idempotent_requests).
    """


class Disputed(Exception):  # noqa: N818 - an answer: ask how much was taken
    """The shopper's bank disputes the charge, so Stripe refunds nothing of it."""


WITHDRAWING = ("needs_response", "under_review", "lost")
"""Statuses of disputes that have taken the money; an inquiry has not.
https://docs.stripe.com/api/disputes/object
"""


class Intent(NamedTuple):
    """A PaymentIntent (https://docs.stripe.com/payments/paymentintents/lifecycle).

    Attributes:
        id: pi_….
        status: Stripe's word.
        reason: why the last attempt to charge it failed, if one did.
    """

    id: str
    status: str
    reason: str | None = None


class Refund(NamedTuple):
    """A refund (https://docs.stripe.com/api/refunds/object).

    Attributes:
        id: re_….
        status: Stripe's word.
        amount: in Stripe's units.
    """

    id: str
    status: str
    amount: int

    @property
    def returns_money(self) -> bool:
        """Return whether the money is given back or on its way: a refund may also fail, even days later."""
        return self.status not in ("failed", "canceled")


class PaymentIntents(Protocol):
    """Stripe. `confirm`, `cancel` and `retrieve` may be repeated by themselves, the others by their keys.

    Each may raise `ApiUnavailable`, `Throttled` (not applied), `OutcomeUnknown`, `AccessDenied`,
    `IdempotencyMismatch` and `UnexpectedResponse`.
    """

    def create(self, key: str, params: Mapping[str, Any]) -> Intent:
        """Make a PaymentIntent, one per `key`.

        Raises:
            Refused: Stripe never will.
        """

    def confirm(self, intent_id: str, params: Mapping[str, Any]) -> Intent:
        """Charge a PaymentIntent, which takes money at most once, however often it is confirmed.

        A decline is an answer.
        """

    def cancel(self, intent_id: str) -> Intent:
        """Close a PaymentIntent for good, unless money moved or is moving: the answer says which."""

    def retrieve(self, intent_id: str) -> Intent:
        """Return a PaymentIntent as it is now."""

    def refunds(self, intent_id: str) -> Sequence[Refund]:
        """Return the refunds of a PaymentIntent, those that failed included."""

    def refund(self, key: str, intent_id: str, amount: int) -> Refund | None:
        """Give `amount` (Stripe's units) back, once per `key`; None where all was given back before.

        Raises:
            KeySpent: the key repeats an answer of before that was no refund.
            Disputed: it is disputed.
        """

    def disputed(self, intent_id: str) -> int:
        """Return how much (Stripe's units) disputes took of a PaymentIntent and did not bring back."""


_CODES_BY_DECIMALS = {
    0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF"
        " CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF"
        " IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR"
        " MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR"
        " SEK SGD SHP SLE SOS SRD STN SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS WST XCD XCG"
        " YER ZAR ZMW"
    ),
    3: "BHD JOD KWD OMR TND",
}
_DECIMALS = {code: decimals for decimals, codes in _CODES_BY_DECIMALS.items() for code in codes.split()}
CURRENCIES = frozenset(_DECIMALS)
"""The currencies that Stripe can charge (https://docs.stripe.com/currencies#presentment-currencies).

An account may take fewer, by its country: Stripe then refuses the PaymentIntent.
"""
_MULTIPLES = {code: 10 for code, decimals in _DECIMALS.items() if decimals == 3} | {"ISK": 100, "UGX": 100}  # noqa: PLR2004
"""Stripe's amounts in these are multiples of that many units."""
_CODES_BY_MINIMUM = {
    30: "GBP",
    50: "AUD BRL CAD CHF EUR INR JPY NZD SGD USD",
    200: "AED MYR PLN RON",
    250: "DKK",
    300: "NOK SEK",
    400: "HKD",
    1_000: "MXN THB",
    1_500: "CZK",
    17_500: "HUF",
}
_MINIMUMS = {code: least for least, codes in _CODES_BY_MINIMUM.items() for code in codes.split()}
"""The least charge in Stripe's units (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).

It is that of an account which settles in the charge's currency. Otherwise Stripe applies the minimum of the
currency it settles in, and refuses itself.
"""
_MAXIMUM = 99_999_999
"""Eight digits. Stripe takes more in a few currencies; an order cannot be that large."""


class NotChargeable(ValueError):  # noqa: N818 - an answer to the shopper, like a decline
    """Stripe cannot charge this amount; the message is the reason that a decline is recorded with."""


class _Ratio(NamedTuple):
    """So many of Stripe's units are so many of ours."""

    stripe: int
    ours: int


def charge_amount(amount: int, currency: str) -> int:
    """Return what to charge for `amount` minor units, in Stripe's units.

    Raises:
        NotChargeable: `currency_not_supported`, `amount_not_representable`, `amount_too_small` or
            `amount_too_large`.
    """
    units = to_stripe(amount, currency)
    if units < _MINIMUMS.get(currency, 1):
        raise NotChargeable("amount_too_small")
    if units > _MAXIMUM:
        raise NotChargeable("amount_too_large")
    return units


def to_stripe(amount: int, currency: str) -> int:
    """Return `amount` minor units in Stripe's units, whatever Stripe's limits.

    Raises:
        NotChargeable: `currency_not_supported`, or `amount_not_representable` in Stripe's units.
    """
    ratio = _ratio(currency)
    units, rest = divmod(amount * ratio.stripe, ratio.ours)
    if rest or units % _MULTIPLES.get(currency, 1):
        raise NotChargeable("amount_not_representable")
    return units


def from_stripe(units: int, currency: str) -> int:
    """Return an amount of Stripe's in minor units.

    Args:
        units: the amount as Stripe gives it.
        currency: ISO 4217, in either case: Stripe writes it in lower case.

    Raises:
        NotChargeable: `currency_not_supported`, or `amount_not_representable` in minor units.
    """
    ratio = _ratio(currency.upper())
    amount, rest = divmod(units * ratio.ours, ratio.stripe)
    if rest:
        raise NotChargeable("amount_not_representable")
    return amount


def _ratio(currency: str) -> _Ratio:
    if currency not in CURRENCIES:
        raise NotChargeable("currency_not_supported")
    return _Ratio(10 ** _DECIMALS[currency], 10 ** money.EXPONENTS[currency])
