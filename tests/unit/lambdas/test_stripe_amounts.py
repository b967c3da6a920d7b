"""Stripe's units: https://docs.stripe.com/currencies."""

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_aws.card_gateway import parameters as of_the_gateway
from payment_data import money
from payment_data.payment_methods.stripe_intents import (
    CURRENCIES,
    NotChargeable,
    charge_amount,
    from_stripe,
    to_stripe,
)

_CODES = st.sampled_from(sorted(CURRENCIES))
_AMOUNTS = st.integers(0, money.MAX_AMOUNT)


@pytest.mark.parametrize(
    ("major", "currency", "units"),
    [
        ("10.00", "USD", 1000),
        ("500", "JPY", 500),
        ("50000.00", "MGA", 50_000),
        ("5", "ISK", 500),
        ("5000", "ISK", 500_000),
        ("999999", "UGX", 99_999_900),
        ("5.120", "KWD", 5120),
        ("0.010", "BHD", 10),
        ("175.00", "HUF", 17_500),
        ("10.45", "TWD", 1045),
        ("1", "XPF", 1),
    ],
)
def test_an_amount_is_sent_in_stripes_own_units(major: str, currency: str, units: int) -> None:
    assert charge_amount(money.parse_major(major, currency), currency) == units


@pytest.mark.parametrize(
    ("major", "currency", "reason"),
    [
        ("5.125", "KWD", "amount_not_representable"),
        ("0.001", "TND", "amount_not_representable"),
        ("50000.01", "MGA", "amount_not_representable"),
        ("0.49", "EUR", "amount_too_small"),
        ("0.29", "GBP", "amount_too_small"),
        ("49", "JPY", "amount_too_small"),
        ("174.99", "HUF", "amount_too_small"),
        ("14.99", "CZK", "amount_too_small"),
        ("9.99", "MXN", "amount_too_small"),
        ("2.49", "DKK", "amount_too_small"),
        ("0", "MGA", "amount_too_small"),
        ("1000000", "ISK", "amount_too_large"),
        ("1000000.00", "EUR", "amount_too_large"),
        ("1.0000", "CLF", "currency_not_supported"),
        ("1.000", "IQD", "currency_not_supported"),
        ("1.00", "IRR", "currency_not_supported"),
    ],
)
def test_what_cannot_be_charged_is_refused_with_its_reason(major: str, currency: str, reason: str) -> None:
    with pytest.raises(NotChargeable, match=f"^{reason}$"):
        charge_amount(money.parse_major(major, currency), currency)


@pytest.mark.parametrize(
    ("least", "currency"),
    [
        (50, "EUR"),
        (30, "GBP"),
        (200, "AED"),
        (250, "DKK"),
        (300, "NOK"),
        (400, "HKD"),
        (1_000, "MXN"),
        (1_500, "CZK"),
        (17_500, "HUF"),
        (50, "JPY"),
        (1, "KRW"),
    ],
)
def test_the_least_amount_is_charged(least: int, currency: str) -> None:
    assert charge_amount(least, currency) == least
    if least > 1:
        with pytest.raises(NotChargeable):
            charge_amount(least - 1, currency)


def test_the_largest_amount_is_charged() -> None:
    assert charge_amount(99_999_999, "EUR") == 99_999_999


@given(_AMOUNTS, _CODES)
def test_an_amount_comes_back_as_it_went_or_is_refused(amount: int, currency: str) -> None:
    try:
        units = to_stripe(amount, currency)
    except NotChargeable:
        return
    assert from_stripe(units, currency.lower()) == amount


@given(_AMOUNTS, _CODES)
def test_the_major_amount_is_the_same_on_both_sides(amount: int, currency: str) -> None:
    # Given the decimals of Stripe's page, in another form than the code's
    decimals = 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2
    try:
        units = to_stripe(amount, currency)
    except NotChargeable:
        # Then only a fraction of what Stripe can hold is refused
        finest = {"ISK": 0, "UGX": 0}.get(currency, min(decimals, 2))
        assert amount % 10 ** max(money.exponent(currency) - finest, 0)
        return
    assert units * 10 ** money.exponent(currency) == amount * 10**decimals


_ZERO_DECIMAL = {
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
}
_THREE_DECIMAL = {"BHD", "JOD", "KWD", "OMR", "TND"}


@given(_AMOUNTS, _CODES)
def test_the_card_gateway_takes_what_is_charged_and_nothing_else(amount: int, currency: str) -> None:
    # Given an amount in Stripe's units
    try:
        of_the_gateway.check_charge(amount, currency.lower())
        taken = amount > 0
    except Exception:  # noqa: BLE001 - however it refuses
        taken = False
    # When it is the amount of an order
    try:
        charged = charge_amount(from_stripe(amount, currency), currency) == amount
    except NotChargeable:
        charged = False
    # Then both tables say the same
    assert charged == taken


def test_the_card_gateway_refuses_the_currencies_that_are_not_charged() -> None:
    assert {code.upper() for code in of_the_gateway.UNKNOWN} == money.EXPONENTS.keys() - CURRENCIES


def test_an_amount_of_stripes_that_we_cannot_hold_is_refused() -> None:
    with pytest.raises(NotChargeable, match="amount_not_representable"):
        from_stripe(550, "isk")


def test_every_active_currency_is_known_with_its_decimals() -> None:
    # Given ISO 4217 as a library publishes it, without metals, test codes and units that nobody is paid in
    not_money = {"XAD", "BOV", "COU", "MXV", "CHE", "CHW", "USN"}
    listed = {currency.code: currency.exponent for currency in iso4217.Currency}
    expected = {code: decimals for code, decimals in listed.items() if decimals is not None}
    # Then a currency that is new there is missing here
    assert {code: expected[code] for code in expected.keys() - not_money} == money.EXPONENTS
