"""Money is an integer of minor units (cents) and an ISO 4217 currency; never a float.

Exponents: ISO 4217 list one (https://www.six-group.com/en/products-services/financial-information/data-standards.html).
"""

import re
from decimal import Decimal

MAX_AMOUNT = 99_999_999
"""Largest unit price and order total, minor units: Stripe's limit of eight digits
(https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""
MAX_BALANCE = 10**15
"""Largest balance, minor units; far below 2**63, so a balance plus any refund fits MongoDB's `long`."""

_EXPONENT_OF = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY"
        " COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF"
        " IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR"
        " MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG"
        " SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES"
        " WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS = {code: exponent for exponent, codes in _EXPONENT_OF.items() for code in codes.split()}
"""Currency code to the number of decimals of its major unit."""

_MAJOR = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")


class AmountError(ValueError):
    """The value is not an amount of that currency; the message says why."""


def exponent(currency: str) -> int:
    """Return how many decimals the currency's major unit has.

    Raises:
        AmountError: not an active ISO 4217 code.
    """
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise AmountError(f"{currency!r} is not an ISO 4217 currency") from None


def parse_major(value: object, currency: str) -> int:
    """Turn an amount in major units into minor units, exactly: '50.95' USD is 5095.

    Args:
        value: a str, int or Decimal. A float is refused: 50.95 is not 50.95 in binary, so parse JSON with
            `parse_float=Decimal`.
        currency: ISO 4217 code.

    Raises:
        AmountError: another type, not a number, negative, or more decimals than the currency has.
    """
    decimals = exponent(currency)
    text = _plain(value)
    if not (match := _MAJOR.fullmatch(text)):
        raise AmountError("must be a non-negative decimal number like 50.95")
    whole, fraction = match[1], (match[2] or ".")[1:]
    if len(fraction) > decimals:
        raise AmountError(f"must have at most {decimals} decimals in {currency}")
    return int(whole + fraction.ljust(decimals, "0"))


def format_major(amount: int, currency: str) -> str:
    """Write minor units as major units: 5095 USD is '50.95'.

    Raises:
        AmountError: the amount is no integer, or the currency is unknown.
    """
    decimals = exponent(currency)
    if type(amount) is bool or not isinstance(amount, int):
        raise AmountError("must be an integer of minor units")
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    sign = "-" if amount < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")  # NaN and Infinity become words, which no amount is
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise AmountError(f"must be text, an integer or a Decimal, not {type(value).__name__}")
