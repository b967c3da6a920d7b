"""What records mean in double entry: whatever they are, every transaction sums to zero in each unit."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_api.domain.order import Line, Order, State
from data_api.domain.transactions import Leg, Records, closing_legs, legs_of, names_of, opening_legs

AT = datetime(2026, 11, 23, tzinfo=UTC)
QUANTITIES = st.integers(1, 10_000)


def _order(quantities: list[int], state: State) -> Order:
    lines = tuple(Line(f"p{n}", "Tea", "food", 5, quantity, "1 Row") for n, quantity in enumerate(quantities))
    return Order(
        id="o1",
        user_id="ann",
        currency="EUR",
        total=sum(line.price * line.quantity for line in lines),
        lines=lines,
        synthetic=False,
        fingerprint="f",
        state=state,
        deadline=None,
        payment=None,
        decision=None,
        history=[],
        created_at=AT,
        updated_at=AT,
    )


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Order, Records]:
    order = _order(draw(st.lists(QUANTITIES, min_size=1, max_size=5)), draw(st.sampled_from(list(State))))
    holds: dict[str, Any] = {}
    for line in order.lines:
        state = draw(st.sampled_from(["none", "held", "void", "never held"]))
        if state != "none":
            quantity = 0 if state == "never held" else line.quantity
            name = "held" if state == "held" else "void"
            holds[line.product_id] = {"state": name, "quantity": quantity, "at": AT, "undone_at": AT}
    operation = draw(st.sampled_from([None, "charged", "declined", "refunded", "void"]))
    record = operation and {"state": operation, "amount": order.total, "at": AT}
    method = draw(st.sampled_from(["card", "bank_account"]))
    payments = tuple(
        {
            "state": state,
            "method": method,
            "amount": order.total,
            "currency": "EUR",
            "created_at": AT,
            "updated_at": AT,
        }
        for state in draw(
            st.sampled_from([(), ("captured",), ("declined", "refunded"), ("void",), ("intent",)])
        )
    )
    return order, Records(record or None, holds, payments)


def _sums(legs: list[Leg]) -> dict[Any, int]:
    sums: dict[Any, int] = defaultdict(int)
    for leg in legs:
        sums[leg.transaction, leg.unit] += leg.amount
    return sums


@given(_cases())
def test_the_legs_of_every_transaction_sum_to_zero_in_each_unit(case: tuple[Order, Records]) -> None:
    # Given
    order, records = case
    # When
    legs = legs_of(order, records)
    legs += closing_legs(order, tuple(names_of(legs)))
    # Then, and each leg has a name of its own
    assert not any(_sums(legs).values())
    assert len({leg.key for leg in legs}) == len(legs)


@given(_cases())
def test_what_was_undone_leaves_every_account_as_it_was(case: tuple[Order, Records]) -> None:
    # Given records that are all undone
    order, records = case
    undone = Records(
        records.operation and {**records.operation, "state": "refunded"},
        {key: {**hold, "state": "void"} for key, hold in records.holds.items()},
        tuple({**payment, "state": "refunded"} for payment in records.payments),
    )
    # When
    accounts: dict[str, int] = defaultdict(int)
    for leg in legs_of(order, undone):
        accounts[leg.account] += leg.amount
    # Then
    assert not any(accounts.values())


def test_reading_a_record_late_tells_the_same_charge() -> None:
    # Given a charge, read before and after it was refunded
    order = _order([2], State.FAILED)
    charged = {"state": "charged", "amount": 10, "at": AT}
    refunded = charged | {"state": "refunded", "undone_at": AT + timedelta(minutes=1)}
    # When
    early, late = (legs_of(order, Records(record, {})) for record in (charged, refunded))
    # Then
    assert late[: len(early)] == early
    assert names_of(late) == ["charge", "refund"]


def test_openings_sum_to_zero() -> None:
    product = {"_id": "apple", "opening": 10, "created_at": AT}
    user = {"_id": "ann", "opening": 500, "currency": "EUR", "created_at": AT}
    for legs in (opening_legs("product", product), opening_legs("user", user)):
        assert not any(_sums(legs).values())
        assert {leg.order_id for leg in legs} == {None}
