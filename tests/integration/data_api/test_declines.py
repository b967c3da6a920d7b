"""Orders that are refused: nothing moves, and the answer never changes."""

from typing import Any

import pytest

from payment_data.errors import (
    DeliveryRejected,
    FieldError,
    InvalidOrder,
    OutOfStock,
    PaymentDeclined,
    Problem,
)
from tests.integration.data_api.shop import Shop, line


def test_out_of_stock_holds_nothing_and_names_the_line(shop: Shop) -> None:
    # Given an order of which one of two lines is short
    shop.open()
    shop.order("o2", lines=[line(), line("pear", 11, price=300)])
    # When it is reserved
    with pytest.raises(OutOfStock) as refused:
        shop.reserve("o2")
    # Then
    assert refused.value.errors == (
        FieldError("lines[1].quantity", "must be at most 10, which are available"),
    )
    assert shop.nothing_moved()
    assert shop.holds("o2") == {"void"}
    assert shop.states("o2") == ["NEW", "CANCELLING"]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"currency": "USD"}, "lines[0].price"),
        ({"lines": [line(), line("plum")]}, "lines[1].product_id"),
        ({"lines": [line(price=249)]}, "lines[0].price"),
        ({"lines": [line(name="Pineapple")]}, "lines[0].name"),
        ({"lines": [line("dollar")]}, "lines[0].price"),
        ({"lines": [line("synthetic")]}, "lines[0].product_id"),
        ({"synthetic": True}, "lines[0].product_id"),
    ],
)
def test_an_order_that_does_not_fit_the_data_is_invalid(
    shop: Shop, order: dict[str, Any], field: str
) -> None:
    # Given products, one in another currency and one synthetic
    shop.open()
    shop.stock("dollar", currency="USD")
    shop.stock("synthetic", synthetic=True)
    shop.order("o2", **order)
    # When it is reserved
    with pytest.raises(InvalidOrder) as refused:
        shop.reserve("o2")
    # Then
    assert field in {error.field for error in refused.value.errors}
    assert shop.nothing_moved()


@pytest.mark.parametrize(
    ("user", "field"), [("nobody", "user_id"), ("robot", "user_id"), ("yankee", "currency")]
)
def test_a_user_who_cannot_pay_the_order_is_invalid_when_it_is_charged(
    shop: Shop, user: str, field: str
) -> None:
    # Given a reserved order of a user who is unknown, synthetic, or has another currency
    shop.open()
    shop.user("robot", synthetic=True)
    shop.user("yankee", currency="USD")
    shop.order("o2", user_id=user)
    shop.reserve("o2")
    # When
    with pytest.raises(InvalidOrder) as refused:
        shop.charge("o2")
    # Then
    assert field in {error.field for error in refused.value.errors}
    assert shop.payment("o2") == "none"


def test_too_little_credit_is_declined_and_takes_nothing(shop: Shop) -> None:
    # Given an order over more than the user's balance
    shop.open()
    shop.user("poor", balance=799)
    shop.order("o2", user_id="poor", lines=[line(quantity=2), line("pear", price=300)])
    shop.reserve("o2")
    # When it is charged
    with pytest.raises(PaymentDeclined, match="insufficient_funds"):
        shop.charge("o2")
    # Then
    assert shop.balance("poor") == 799
    assert shop.api.payment("o2")["reason"] == "insufficient_funds"


def test_a_balance_that_is_just_enough_is_charged_to_zero(shop: Shop) -> None:
    # Given
    shop.open()
    shop.user("exact", balance=250)
    shop.order("o2", user_id="exact")
    shop.reserve("o2")
    # When
    shop.charge("o2")
    # Then
    assert shop.balance("exact") == 0


@pytest.mark.parametrize(("synthetic", "address"), [(False, "  "), (False, "\n"), (True, "REJECT")])
def test_an_address_that_cannot_be_delivered_to_is_rejected(
    shop: Shop, synthetic: bool, address: str
) -> None:
    # Given a paid order to that address
    shop.stock(synthetic=synthetic)
    shop.user(synthetic=synthetic)
    shop.order(lines=[line(delivery_address=address)], synthetic=synthetic)
    shop.reserve()
    shop.charge()
    # When it is delivered
    with pytest.raises(DeliveryRejected) as refused:
        shop.deliver()
    # Then
    assert refused.value.errors[0].field == "lines[0].delivery_address"
    assert shop.delivered() == []
    assert shop.state() == "CANCELLING"


def test_a_real_order_to_a_street_called_reject_is_delivered(shop: Shop) -> None:
    # Given
    shop.stock()
    shop.user()
    shop.order(lines=[line(delivery_address="REJECT")])
    shop.reserve()
    shop.charge()
    # When
    shop.deliver()
    # Then
    assert shop.state() == "COMPLETED"


def _out_of_stock(shop: Shop) -> tuple[str, type[Problem]]:
    shop.order("o2", lines=[line(quantity=11)])
    return "reserve", OutOfStock


def _declined(shop: Shop) -> tuple[str, type[Problem]]:
    shop.user("poor", balance=1)
    shop.order("o2", user_id="poor")
    shop.reserve("o2")
    return "charge", PaymentDeclined


def _rejected(shop: Shop) -> tuple[str, type[Problem]]:
    shop.order("o2", lines=[line(delivery_address=" ")])
    shop.reserve("o2")
    shop.charge("o2")
    return "deliver", DeliveryRejected


@pytest.mark.parametrize("prepare", [_out_of_stock, _declined, _rejected])
def test_a_refusal_stays_the_same_even_when_its_cause_is_gone_and_the_order_has_failed(
    shop: Shop, prepare: Any
) -> None:
    # Given an order that was refused at a step
    shop.open()
    step, error = prepare(shop)
    with pytest.raises(error) as first:
        getattr(shop, step)("o2")
    # When stock and credit come, the order is undone and has failed, and the step is asked again
    shop.db.products.update_many({}, {"$inc": {"available": 100}})
    shop.db.users.update_many({}, {"$inc": {"balance": 100_000}})
    answers = []
    for action in (
        lambda: None,
        lambda: shop.refund("o2"),
        lambda: shop.release("o2"),
        lambda: shop.fail("o2"),
    ):
        action()
        with pytest.raises(error) as again:
            getattr(shop, step)("o2")
        answers.append(str(again.value))
    # Then it says the same, and nothing of the order is left
    assert answers == [str(first.value)] * 4
    assert shop.state("o2") == "FAILED"
    assert (shop.available(), shop.balance()) == (110, 110_000)
