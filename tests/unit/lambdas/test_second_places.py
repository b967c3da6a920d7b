"""What auditors are told of times, reasons and what something was created as, each held to a second place."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data_api.domain import audited
from data_api.domain.audited import Opening
from data_api.domain.order import Decision, Line, Order, State
from data_api.domain.requests import fingerprint, opening_mark
from tests.unit.lambdas.audited_orders import AT, audited_order

if TYPE_CHECKING:
    from collections.abc import Callable

LATER = AT + timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def _move(to: State, reason: str | None = None, execution: str = "a") -> dict[str, Any]:
    return {"to": to, "reason": reason, "execution": execution}


def _order(*history: dict[str, Any], decision: str = "") -> Order:
    return audited_order(
        state=State.FAILED,
        payment=None,
        paid_by=None,
        decision=Decision("reservation", decision, "", []) if decision else None,
        history=list(history),
        updated_at=LATER,
    )


def _failure(error: str, step: str = "Reserve", execution: str = "a") -> dict[str, str]:
    return {"error": error, "step": step, "execution": execution}


NEW = {"to": State.NEW, "reason": None, "execution": None}
CLOSED, FAILED, PARKED = State.CANCELLING, State.FAILED, State.NEEDS_ATTENTION


@pytest.mark.parametrize(
    ("order", "failures", "as_failed"),
    [
        # Nothing failed.
        (_order(NEW, _move(State.RESERVED)), [], True),
        (_order(NEW, _move(State.RESERVED, "E")), [], False),
        # It failed with a failure that its execution recorded.
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED, "E")), [_failure("E")], True),
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED, "E")), [], False),
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED, "E")), [_failure("F")], False),
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED, "E")), [_failure("E", execution="b")], False),
        (_order(NEW, _move(CLOSED, "F"), _move(FAILED, "E")), [_failure("E")], False),
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED)), [_failure("E")], False),
        # Whoever closed it died before it told why, and another ended it.
        (_order(NEW, _move(CLOSED, "F"), _move(FAILED, "E", "b")), [_failure("E", execution="b")], True),
        (_order(NEW, _move(CLOSED, "F")), [], True),
        # It was decided.
        (_order(NEW, _move(CLOSED, "D"), _move(FAILED, "D"), decision="D"), [_failure("D")], True),
        (_order(NEW, _move(CLOSED, "D"), _move(FAILED, "E"), decision="D"), [_failure("E")], True),
        (_order(NEW, _move(CLOSED, "E"), _move(FAILED, "E"), decision="D"), [_failure("E")], False),
        # It was parked, for its failure or for undos that failed.
        (_order(NEW, _move(CLOSED, "E"), _move(PARKED, "E")), [_failure("E")], True),
        (_order(NEW, _move(CLOSED, "E"), _move(PARKED, "Refund: X; Release: Y")),
         [_failure("E"), _failure("X", "Refund"), _failure("Y", "Release")], True),
        (_order(NEW, _move(CLOSED, "E"), _move(PARKED, "Refund: X; Release: Y")),
         [_failure("E"), _failure("X", "Refund")], False),
        (_order(NEW, _move(CLOSED, "E"), _move(PARKED, "")), [_failure("E")], False),
    ],
)  # fmt: skip
def test_reasons_are_those_of_the_decision_and_of_recorded_failures(
    order: Order, failures: list[dict[str, str]], as_failed: bool
) -> None:
    assert audited.as_failed(order, failures) is as_failed


@pytest.mark.parametrize(
    ("operation", "as_charged"),
    [
        (None, True),
        ({"state": "void"}, True),
        ({"state": "charged", "fingerprint": "credit:1:500:EUR"}, True),
        ({"state": "declined", "fingerprint": "credit:12:500:EUR"}, True),
        ({"state": "charged"}, False),
        ({"state": "charged", "fingerprint": "card:1:500:EUR"}, False),
        ({"state": "charged", "fingerprint": "credit::500:EUR"}, False),
        ({"state": "charged", "fingerprint": "credit:1:501:EUR"}, False),
        ({"state": "charged", "fingerprint": "credit:1:500:USD"}, False),
    ],
)
def test_a_charge_is_of_its_orders_total_and_currency(
    operation: dict[str, Any] | None, as_charged: bool
) -> None:
    assert audited.as_charged(_order(NEW), operation) is as_charged


@pytest.mark.parametrize(
    ("transaction", "at", "in_time"),
    [
        ("charge", AT, True),
        ("charge", AT - 30 * SECOND, True),
        ("charge", AT - 31 * SECOND, False),
        ("charge", LATER + 40 * SECOND, True),
        ("charge", LATER + 41 * SECOND, False),
        ("adjust.re_1", LATER + timedelta(days=9), True),
        ("adjust.re_1", LATER, False),
        ("adjust.re_2", LATER + timedelta(days=9), False),
    ],
)
def test_a_leg_is_of_its_orders_time_and_an_adjustments_of_its_own(
    transaction: str, at: datetime, in_time: bool
) -> None:
    payments = [{}, {"adjustments": {"re_1": {"at": LATER + timedelta(days=9)}}}]
    legs = [{"transaction": "hold.tea", "at": AT}, {"transaction": transaction, "at": at}]
    assert audited.legs_in_time(_order(NEW), payments, legs) is in_time


def _attempt(*states: str, **fields: Any) -> dict[str, Any]:
    history = [
        {"at": AT + number * SECOND, "from": before, "to": state, "execution": "a", "reason": None}
        for number, (before, state) in enumerate(zip((None, *states), states, strict=False))
    ]
    times = {"created_at": AT, "updated_at": history[-1]["at"]}
    return {"state": states[-1], "execution": "a", "history": history, **times, **fields}


@pytest.mark.parametrize(
    ("attempt", "in_order"),
    [
        (_attempt("intent", "captured"), True),
        (_attempt("intent", "captured", updated_at=LATER), True),
        (_attempt("intent", "captured", state="refunded"), False),
        (_attempt("intent", "captured", history=[]), False),
        (_attempt("intent", "captured", created_at=AT - SECOND), False),
        (_attempt("intent", "captured", updated_at=AT - 29 * SECOND), True),
        (_attempt("intent", "captured", updated_at=AT - 30 * SECOND), False),
        (_attempt("intent", "captured", execution="b"), False),
        (_attempt("intent", "captured", closed=True), False),
        (_attempt("intent", "void", closed=True), True),
        (_attempt("intent", "void", "refunded", closed=True), True),
        (_attempt("intent", "declined"), True),
        (_attempt("intent", "declined", reason="lost_card"), False),
    ],
)
def test_an_attempt_to_pay_is_of_its_own_time_and_says_why_it_ended(
    attempt: dict[str, Any], in_order: bool
) -> None:
    assert audited.payment_in_order(attempt) is in_order


def _product() -> dict[str, Any]:
    body = {"name": "Tea", "type": "food", "price": 250, "currency": "EUR", "available": 9}
    marks = {"fingerprint": fingerprint(body), "opened_with": opening_mark("tea", 9)}
    more = {"_id": "tea", "opening": 12, "created_at": AT, "synthetic": False, "books": "entered"}
    return body | marks | more


def _user() -> dict[str, Any]:
    marks = {"fingerprint": "f", "opened_with": opening_mark("ann", 9)}
    return marks | {"_id": "ann", "username": "Ann", "currency": "EUR", "opening": 9, "created_at": AT}


def _opening() -> Opening:
    """Nine pieces; another three came in later."""
    legs = {
        f"product:tea:{side}": {"unit": "tea", "amount": amount, "at": AT}
        for side, amount in (("opening", -9), ("available", 9))
    }
    return Opening(legs, ["tea"], named=True)


@pytest.mark.parametrize(
    ("change", "as_opened"),
    [
        (lambda tea: None, True),
        (lambda tea: tea.update(name="Tee"), False),
        (lambda tea: tea.update(type="drink"), False),
        (lambda tea: tea.update(currency="USD"), False),
        (lambda tea: tea.update(price=1), False),
        (lambda tea: tea.update(price=1, repriced=[{"price": 2}, {"price": 250}]), True),
        (lambda tea: tea.update(price=1, repriced=[{"price": 2}]), False),
        (lambda tea: tea.update(price=1, repriced=[{"price": 2}] * 499), False),
        (lambda tea: tea.update(price=1, repriced=[{"price": 2}] * 500), True),
        (lambda tea: tea.update(created_at=LATER), False),
        (lambda tea: tea.update(synthetic=True), False),
        (lambda tea: tea.update(books="synthetic"), False),
        (lambda tea: tea.pop("opened_with"), False),
        (lambda tea: tea.pop("fingerprint"), False),
        (lambda tea: (tea.pop("fingerprint"), tea.pop("opened_with")), True),
        (lambda tea: tea.pop("books"), False),
        (lambda tea: (tea.pop("books"), tea.update(opening=9)), True),
        (lambda tea: (tea.pop("books"), tea.pop("opening")), False),
    ],
)
def test_a_product_is_what_it_was_created_as_but_for_its_price(
    change: Callable[[dict[str, Any]], object], as_opened: bool
) -> None:
    # Given
    product = _product()
    # When
    change(product)
    # Then
    assert audited.as_opened("product", product, _opening()) is as_opened


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_product_may_have_been_created_with_the_word_whether_it_is_synthetic(synthetic: bool) -> None:
    # Given
    product = _product()
    body = {name: product[name] for name in ("name", "type", "price", "currency", "available")}
    product |= {"fingerprint": fingerprint(body | {"synthetic": synthetic}), "synthetic": synthetic}
    # When it is in the ledger, which a synthetic one never is
    if synthetic:
        product |= {"books": "synthetic", "opening": 9}
    # Then
    assert audited.as_opened("product", product, None if synthetic else _opening())


def _with_leg(side: str, **fields: Any) -> Opening:
    opening = _opening()
    name = f"product:tea:{side}"
    return opening._replace(legs={**opening.legs, name: {**opening.legs[name], **fields}})


@pytest.mark.parametrize(
    "opening",
    [
        None,
        _opening()._replace(legs={}),
        _opening()._replace(legs={"product:tea:opening": _opening().legs["product:tea:opening"]}),
        _opening()._replace(units=["tea", "cup"]),
        _opening()._replace(named=False),
        _with_leg("available", at=LATER),
        _with_leg("available", unit="cup"),
        _with_leg("available", amount=8),
        _with_leg("opening", amount=-8),
    ],
)
def test_an_opening_in_the_ledger_is_that_of_its_document(opening: Opening | None) -> None:
    assert audited.as_opened("product", _product(), _opening())
    assert not audited.as_opened("product", _product(), opening)


def test_a_users_name_and_wallet_are_not_looked_at_and_their_opening_is() -> None:
    user = _user()
    assert audited.as_opened("user", user, None)
    assert audited.as_opened("user", user | {"username": "Eve", "wallet": {"card": "pm_1"}}, None)
    assert not audited.as_opened("user", user | {"opening": 10}, None)


def test_lines_that_are_not_delivered_are_those_of_the_request() -> None:
    # Given an order with a line that nobody can deliver
    body: dict[str, Any] = {"product_id": "tea", "name": "Tea", "type": "food", "price": 250, "quantity": 2}
    lines = [body | {"delivery_address": " "}]
    mark = fingerprint({"user_id": "ann", "currency": "EUR", "lines": lines})
    order = dataclasses.replace(_order(NEW), fingerprint=mark, lines=(Line(**lines[0]),))
    # When, then
    assert dataclasses.replace(order, undeliverable=(0,)).as_created
    assert not dataclasses.replace(order, undeliverable=()).as_created
