"""Arrange one delivery per line of a paid order, and complete it: one write.

Also for a person who completes an order that a restored backup knows in an earlier state than its execution.
"""

from datetime import datetime

from data_api.domain.order import CLOSED, Decision, Order, State
from data_api.domain.payment import GATEWAYS, UNSETTLED, Payment
from data_api.domain.requests import Document, deadline, last_write
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, payments, products, users
from data_api.storage.database import Db
from payment_data.errors import (
    DeadlineExceeded,
    DeliveryRejected,
    FieldError,
    IdempotencyMismatch,
    IllegalTransition,
    OutOfStock,
    PaymentDeclined,
)
from payment_data.metrics import LOST

_OPERATION = "deliveries"
_CHANGED = "the order cannot be delivered, or somebody else has changed it"


def arrange_deliveries(db: Db, order_id: str, request: Document) -> Answer:
    """Arrange an order's deliveries and complete it; the same answer however often it is asked.

    Raises:
        DeliveryRejected: decided; nothing is delivered.
        IllegalTransition: the order is not paid.
        OrderNotFound, DeadlineExceeded, OrderClosed: nothing is delivered.
    """
    deadline(request)
    execution = request["execution"]
    order = orders.complete(db, order_id, execution=execution) or orders.get_confirmed(db, order_id)
    if order.state in {State.NEW, State.RESERVED}:
        raise IllegalTransition("the order is not paid yet")
    if order.state is State.PAID:
        order = _refuse(db, order, execution)
    if order.state in CLOSED:
        raise order.refusal(_OPERATION)
    return Answer(views.deliveries(order))


def complete_lost(db: Db, order_id: str, request: Document) -> Answer:
    """Complete an order whose execution succeeded before its data was lost; any number of times.

    What a restore took away of its holds and its charge is done again first; of a gateway's capture it is
    recorded again, where the caller found at the gateway that `payment_intent` took the order's total. It
    stays parked until the one write that completes it, and whoever undoes it meanwhile closes it before: then
    that write does nothing, and what was done again is undone.

    Raises:
        OrderNotFound: no such order.
        IllegalTransition: it was not parked as one whose execution succeeded, or is being undone, or a
            gateway's payment is not on record as captured.
        IdempotencyMismatch: it is paid by another method on record.
        OutOfStock: not all of it can be held.
        PaymentDeclined: its user's balance does not cover it.
    """
    lands_by = last_write()
    order = orders.get_confirmed(db, order_id)
    if order.state is State.COMPLETED:
        return Answer(views.deliveries(order))
    if order.state is not State.NEEDS_ATTENTION or order.history[-1]["reason"] != LOST:
        raise IllegalTransition(f"the order is {order.state}, and was not parked as one that had succeeded")
    method = request["method"]
    if order.paid_by not in {None, method}:
        raise IdempotencyMismatch(f"the order is paid by {order.paid_by}")
    payment, attempt = payments.latest(db, order.id), 1
    if method in GATEWAYS:
        _check_capture(order, payment, request.get("payment_intent"))
    if not orders.pay_parked_by(db, order, method):
        raise IllegalTransition(_CHANGED)
    if method in GATEWAYS:
        attempt = _captured_attempt(db, order, payment, request)
    _hold_again(db, order, lands_by)
    fingerprint = f"{method}:{attempt}:{order.total}:{order.currency}"
    if method not in GATEWAYS:
        _charge_again(db, order, fingerprint, lands_by)
    completed = orders.complete_parked(db, order, fingerprint, execution=request["execution"])
    if completed is None:
        raise IllegalTransition(_CHANGED)
    return Answer(views.deliveries(completed))


def _hold_again(db: Db, order: Order, lands_by: datetime) -> None:
    held = products.holds(db, order)
    if missing := [line for line in order.lines if line.product_id not in held]:
        products.hold(db, order, missing, lands_by, repriced=True)
        held = products.holds(db, order)
    if short := [line.product_id for line in order.lines if held.get(line.product_id) != "held"]:
        raise OutOfStock(f"cannot be held: {', '.join(short)}")


def _check_capture(order: Order, payment: Payment | None, intent: str | None) -> None:
    """Refuse unless the total is captured on record, or by a PaymentIntent that may be its own.

    Raises:
        IllegalTransition: it is not.
        IdempotencyMismatch: another PaymentIntent is on record.
    """
    if payment and payment.payment_intent not in {None, intent or payment.payment_intent}:
        raise IdempotencyMismatch(f"the order's PaymentIntent is {payment.payment_intent}")
    lost = payment is None or payment.state in UNSETTLED
    captured = payment and (payment.state, payment.amount) == ("captured", order.total)
    if not captured and not (lost and intent):
        raise IllegalTransition("no captured payment of the order is on record")


def _captured_attempt(db: Db, order: Order, payment: Payment | None, request: Document) -> int:
    """Return the attempt that took the order's total, whose capture may be younger than the backup."""
    intent, attempt = request.get("payment_intent"), payment.attempt if payment else 1
    if intent and (payment is None or payment.state in UNSETTLED):
        payment = payments.recapture(
            db, order, attempt, request["method"], intent, execution=request["execution"]
        )
        if payment is None or payment.state in UNSETTLED:
            raise IllegalTransition(_CHANGED)
        _check_capture(order, payment, intent)
    return attempt


def _charge_again(db: Db, order: Order, fingerprint: str, lands_by: datetime) -> None:
    """Charge a balance that does not know of the order."""
    if users.charge(db, order, fingerprint, lands_by):
        return
    payer = users.payer(db, order)
    if payer is None or payer.operation is None or payer.operation.state != "charged":
        raise PaymentDeclined("insufficient_funds")


def _refuse(db: Db, order: Order, execution: str) -> Order:
    """Return the order as it is once its rejection is decided, by whoever changed it."""
    if not order.undeliverable:
        raise DeadlineExceeded("the order's deadline passed before it was delivered")
    rule = "must be an address that can be delivered to"
    errors = [FieldError(f"lines[{number}].delivery_address", rule) for number in order.undeliverable]
    rejected = DeliveryRejected(f"{len(errors)} line(s) cannot be delivered", errors)
    return orders.refuse(db, order, State.PAID, Decision.from_problem(_OPERATION, rejected), execution)
