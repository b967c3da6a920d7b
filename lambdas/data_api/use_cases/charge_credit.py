"""Charge an order's total to the user's balance, at most once."""

from datetime import datetime

from data_api.domain.order import CLOSED, Order, State
from data_api.domain.requests import Document, deadline, last_write
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, users
from data_api.storage.database import Db
from data_api.storage.users import Operation, Payer
from payment_data.errors import (
    DeadlineExceeded,
    FieldError,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidOrder,
    OrderClosed,
    PaymentDeclined,
    Problem,
    Throttled,
)

_ROUNDS = 3
_SHORT = "insufficient_funds"


def charge_credit(db: Db, order_id: str, request: Document) -> Answer:
    """Charge an order's total to its user's balance; the same answer however often it is asked.

    The deadline that counts is the one the order was reserved with.

    Raises:
        PaymentDeclined: decided; the detail is the reason.
        InvalidOrder: the user is gone or has another currency.
        IdempotencyMismatch: charged or declined before with another method or attempt.
        IllegalTransition: nothing is reserved yet.
        OrderNotFound, DeadlineExceeded, OrderClosed: not charged.
        Throttled: the balance kept changing; ask again.
    """
    deadline(request)
    lands_by = last_write()
    order = orders.get(db, order_id)
    fingerprint = f"{request['method']}:{request['attempt']}:{order.total}:{order.currency}"
    if order.state is State.NEW:
        order = orders.get_confirmed(db, order_id)
    if order.state is State.NEW:
        raise IllegalTransition("the order's products are not reserved yet")
    if order.paid_by not in (None, request["method"]):
        raise IdempotencyMismatch(f"the order is paid by {order.paid_by}")
    if order.state is State.RESERVED:
        _charge(db, order, fingerprint, lands_by)
        paid = orders.advance(
            db,
            order,
            {State.RESERVED},
            State.PAID,
            execution=request["execution"],
            changes={"payment": fingerprint},
        )
        order = paid or orders.get_confirmed(db, order.id)
    if order.state in CLOSED:
        raise _refusal_of_closed(order, users.payer(db, order), fingerprint)
    if order.payment != fingerprint:
        raise IdempotencyMismatch("the order was paid with another method or attempt")
    return Answer(views.payment(order, Operation("charged", order.total, fingerprint, None)))


def _charge(db: Db, order: Order, fingerprint: str, lands_by: datetime) -> None:
    """Return once the charge is recorded, by this request or an earlier one; raise if it is refused."""
    until = min(lands_by, order.deadline or lands_by)
    for _ in range(_ROUNDS):
        if users.charge(db, order, fingerprint, until):
            return
        payer = users.payer(db, order)
        if payer and payer.operation and payer.operation.state == "charged":
            _check_fingerprint(payer.operation, fingerprint)
            return
        if refusal := _refusal(order, payer, fingerprint):
            raise refusal
        if users.decline(db, order, fingerprint, _SHORT, until):
            raise PaymentDeclined(_SHORT)
    raise Throttled("the balance kept changing while the order was being charged")


def _refusal(order: Order, payer: Payer | None, fingerprint: str) -> Problem | None:
    """Return why the order cannot be charged; None leaves a balance that was, perhaps, too low."""
    if payer is None or payer.synthetic != order.synthetic:
        return InvalidOrder("the user is gone", [FieldError("user_id", "must be a user's")])
    if payer.operation:
        return _recorded(payer.operation, fingerprint)
    if payer.currency != order.currency:
        return InvalidOrder("another currency", [FieldError("currency", "must be the user's")])
    if payer.late:
        return DeadlineExceeded("the order's deadline passed before it was charged")
    return None


def _recorded(operation: Operation, fingerprint: str) -> Problem:
    """Return the refusal that a record of an earlier request stands for."""
    if operation.state == "declined":
        _check_fingerprint(operation, fingerprint)
        return PaymentDeclined(operation.reason or _SHORT)
    return OrderClosed(f"the order's payment is {operation.state}")


def _refusal_of_closed(order: Order, payer: Payer | None, fingerprint: str) -> Problem:
    """Return what a closed order answers: a decline stays a decline."""
    if payer and payer.operation and payer.operation.state == "declined":
        return _recorded(payer.operation, fingerprint)
    return order.refusal("payment")


def _check_fingerprint(operation: Operation, fingerprint: str) -> None:
    if operation.fingerprint != fingerprint:
        raise IdempotencyMismatch(f"the order's payment was {operation.state} with another method or attempt")
