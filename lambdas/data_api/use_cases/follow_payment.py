"""Record what became of a payment at the gateway, as far as it is known; all of it may be repeated."""

from datetime import timedelta

from data_api.domain.order import CLOSED, State
from data_api.domain.payment import UNSETTLED, Payment
from data_api.domain.requests import Document
from data_api.domain.transactions import adjustment_legs
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import ledger, orders, payments
from data_api.storage.database import Db
from payment_data.errors import IdempotencyMismatch, IllegalTransition

DELIVERY_TIME = timedelta(hours=1)
"""A bank may take days; a paid order then has at least so long to be delivered, whatever its deadline was."""


def save_payment_intent(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Save a PaymentIntent's id if none is saved; the answer holds the one that counts.

    Raises:
        PaymentDeclined, OrderClosed: it is over, and the PaymentIntent must not be confirmed.
        IllegalTransition: it was never opened.
    """
    saved = payments.save_intent(db, order_id, int(attempt), request["payment_intent"])
    return Answer(views.gateway_payment(saved or require_open_payment(db, order_id, attempt)))


def await_bank(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the bank was asked: its answer is waited for, also past the deadline.

    Raises:
        PaymentDeclined, OrderClosed: it is over.
        IllegalTransition: it was never opened, or no PaymentIntent is saved.
    """
    moved = payments.move(
        db,
        order_id,
        int(attempt),
        {"intent"},
        "processing",
        execution=request["execution"],
        at_gateway=True,
    )
    payment = moved or require_open_payment(db, order_id, attempt)
    if payment.state == "intent":
        raise IllegalTransition("no PaymentIntent is saved yet")
    return Answer(views.gateway_payment(payment))


def capture_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the gateway captured the payment, and that the order is paid.

    Raises:
        OrderClosed: the order is being undone; what was captured is then refunded by that.
        IllegalTransition: it was declined, never opened, or no PaymentIntent is saved.
    """
    execution = request["execution"]
    moved = payments.move(
        db, order_id, int(attempt), UNSETTLED, "captured", execution=execution, at_gateway=True
    )
    payment = moved or _captured(db, order_id, attempt)
    paid = orders.advance_unread(
        db,
        order_id,
        {State.RESERVED},
        State.PAID,
        execution=execution,
        changes={"payment": f"{payment.method}:{payment.attempt}:{payment.amount}:{payment.currency}"},
        extend=DELIVERY_TIME,
    )
    order = paid or orders.get_confirmed(db, order_id)
    if order.state in CLOSED:
        raise order.refusal("payment")
    return Answer(views.gateway_payment(payment))


def decline_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the gateway closed a payment without taking money; the first reason stays.

    Raises:
        OrderClosed: it is void or refunded.
        IllegalTransition: it was captured, or never opened.
    """
    moved = payments.move(
        db,
        order_id,
        int(attempt),
        UNSETTLED,
        "declined",
        execution=request["execution"],
        reason=request["reason"],
    )
    payment = moved or require_payment(db, order_id, attempt)
    if payment.state != "declined" and (refusal := payment.refusal(captured=True)):
        raise refusal
    return Answer(views.gateway_payment(payment))


def record_refund(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the gateway gave the money back.

    Raises:
        IllegalTransition: nothing was captured there.
    """
    moved = payments.move(
        db,
        order_id,
        int(attempt),
        {"captured", "void"},
        "refunded",
        execution=request["execution"],
        at_gateway=True,
    )
    payment = moved or require_payment(db, order_id, attempt)
    if payment.state != "refunded":
        raise IllegalTransition(f"a payment that is {payment.state} cannot be refunded")
    return Answer(views.gateway_payment(payment))


def adjust_payment(db: Db, order_id: str, attempt: str, adjustment: str, request: Document) -> Answer:
    """Record what moved money of a payment at the gateway without the workflow, and enter it into the ledger.

    The record is one write; its legs follow, and a repeated request enters those that are missing.

    Raises:
        IdempotencyMismatch: another kind or amount was recorded under this id.
        IllegalTransition: the payment was never captured.
    """
    document = payments.adjust(
        db, order_id, int(attempt), adjustment, kind=request["kind"], amount=request["amount"]
    )
    if document is None:
        raise IllegalTransition("only a payment that was captured can be adjusted")
    recorded = document["adjustments"]
    if any(recorded[adjustment][key] != request[key] for key in ("kind", "amount")):
        raise IdempotencyMismatch("another adjustment has this id")
    ledger.append(db, adjustment_legs(document))
    shown = views.adjustments(recorded)
    return Answer({"order_id": order_id, "attempt": int(attempt), "adjustments": shown})


def close_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the gateway closed a void payment without taking money, so that its order may fail.

    Raises:
        IllegalTransition: it is not void, or was never opened.
    """
    payment = payments.close(db, order_id, int(attempt), execution=request["execution"])
    payment = payment or require_payment(db, order_id, attempt)
    if payment.state != "void":
        raise IllegalTransition(f"a payment that is {payment.state} cannot be closed")
    return Answer(views.gateway_payment(payment))


def require_payment(db: Db, order_id: str, attempt: str) -> Payment:
    """Return the attempt.

    Raises:
        IllegalTransition: it was never opened.
    """
    if payment := payments.find_confirmed(db, order_id, int(attempt)):
        return payment
    raise IllegalTransition("the payment was never opened")


def require_open_payment(db: Db, order_id: str, attempt: str) -> Payment:
    """Return the attempt, which may still go on.

    Raises:
        IllegalTransition: it was never opened.
        PaymentDeclined, OrderClosed: it is over.
    """
    payment = require_payment(db, order_id, attempt)
    if refusal := payment.refusal():
        raise refusal
    return payment


def _captured(db: Db, order_id: str, attempt: str) -> Payment:
    payment = require_payment(db, order_id, attempt)
    if payment.state == "declined" or payment.state in UNSETTLED:
        raise IllegalTransition(f"a payment that is {payment.state} was not captured")
    if refusal := payment.refusal():
        raise refusal
    return payment
