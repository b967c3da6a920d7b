from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_data.money import (
    EXPONENTS,
    MAX_AMOUNT,
    MAX_BALANCE,
    AmountError,
    exponent,
    format_major,
    parse_major,
)

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
AMOUNTS = st.integers(0, 10**15)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("50.95", "USD", 5095),
        (Decimal("50.95"), "USD", 5095),
        (50, "USD", 5000),
        ("0", "EUR", 0),
        ("0.01", "EUR", 1),
        ("0.1", "EUR", 10),
        (Decimal("5E+1"), "EUR", 5000),
        ("1234", "JPY", 1234),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
    ],
)
def test_major_units_become_minor_units_exactly(value: Any, currency: str, minor: int) -> None:
    assert parse_major(value, currency) == minor


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        (50.95, "USD"),
        (float("nan"), "USD"),
        (True, "USD"),
        (None, "USD"),
        ([], "USD"),
        (Decimal("NaN"), "USD"),
        (Decimal("Infinity"), "USD"),
        (Decimal("-0.01"), "USD"),
        (-1, "USD"),
        ("-0", "USD"),
        ("", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        ("1,00", "USD"),
        ("1_000", "USD"),
        ("1e3", "USD"),
        ("+1", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("01", "USD"),
        ("٣", "USD"),
        ("0x10", "USD"),
        ("1.234", "USD"),
        ("1.230", "USD"),
        ("1.0", "JPY"),
        ("9" * 19, "USD"),
        ("1", "XXX"),
        ("1", "usd"),
        ("1", None),
        ("1", ["USD"]),
    ],
)
def test_what_is_no_exact_amount_is_refused(value: Any, currency: Any) -> None:
    with pytest.raises(AmountError):
        parse_major(value, currency)


@given(AMOUNTS, CURRENCIES)
def test_what_is_formatted_is_parsed_again(amount: int, currency: str) -> None:
    text = format_major(amount, currency)
    assert parse_major(text, currency) == parse_major(Decimal(text), currency) == amount


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_adding_minor_units_is_adding_major_units(a: int, b: int, currency: str) -> None:
    total = Decimal(format_major(a, currency)) + Decimal(format_major(b, currency))
    assert Decimal(format_major(a + b, currency)) == total


@given(CURRENCIES)
def test_one_major_unit_is_a_power_of_ten(currency: str) -> None:
    assert parse_major("1", currency) == 10 ** exponent(currency)


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_only_integers_are_written(amount: Any) -> None:
    with pytest.raises(AmountError):
        format_major(amount, "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (5095, "USD", "50.95"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (-5, "USD", "-0.05"),
        (-5095, "USD", "-50.95"),
        (7, "JPY", "7"),
        (-7, "JPY", "-7"),
        (1, "CLF", "0.0001"),
        (12_345, "KWD", "12.345"),
    ],
)
def test_minor_units_are_written_as_major_units(amount: int, currency: str, text: str) -> None:
    assert format_major(amount, currency) == text


@pytest.mark.parametrize("amount", [1.0, True, None, "1"])
def test_what_is_no_integer_is_not_written(amount: Any) -> None:
    with pytest.raises(AmountError, match="must be an integer of minor units"):
        format_major(amount, "EUR")


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (1.5, "must be text, an integer or a Decimal, not float"),
        (True, "must be text, an integer or a Decimal, not bool"),
        ("1,5", "must be a non-negative decimal number like 50.95"),
        ("1.234", "must have at most 2 decimals in EUR"),
    ],
)
def test_what_is_no_amount_is_told_why(value: Any, rule: str) -> None:
    with pytest.raises(AmountError) as refused:
        parse_major(value, "EUR")
    assert str(refused.value) == rule


@pytest.mark.parametrize("digits", [18, 19])
def test_an_amount_has_at_most_eighteen_digits_before_the_point(digits: int) -> None:
    text = "9" * digits
    if digits == 18:
        assert parse_major(text, "EUR") == int(text) * 100
    else:
        with pytest.raises(AmountError):
            parse_major(text, "EUR")


def test_the_largest_amounts() -> None:
    assert (MAX_AMOUNT, MAX_BALANCE) == (99_999_999, 1_000_000_000_000_000)


@pytest.mark.parametrize("currency", ["XAU", "eur", "", None, 7, ["EUR"]])
def test_a_currency_that_is_none_is_named(currency: Any) -> None:
    with pytest.raises(AmountError) as refused:
        exponent(currency)
    assert str(refused.value) == f"{currency!r} is not an ISO 4217 currency"
