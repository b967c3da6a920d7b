"""Record what became of a payment at the gateway, as far as it is known; all of it may be repeated."""

from data_api.domain.documents import Document
from data_api.domain.payment import UNSETTLED, Payment
from data_api.schemas import views
from data_api.storage import payments
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from payment_data.errors import IllegalTransition


def save_payment_intent(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Save {execution, payment_intent} if none is saved; the answer holds the one that counts.

    Raises:
        PaymentDeclined, OrderClosed: it is over, and the PaymentIntent must not be confirmed.
        IllegalTransition: it was never opened.
    """
    saved = payments.save_intent(db, order_id, int(attempt), request["payment_intent"])
    return Answer(views.gateway_payment(saved or going_on(db, order_id, attempt)))


def await_bank(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record {execution} that the bank was asked: its answer is waited for, also past the deadline.

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
    payment = moved or going_on(db, order_id, attempt)
    if payment.state == "intent":
        raise IllegalTransition("no PaymentIntent is saved yet")
    return Answer(views.gateway_payment(payment))


def decline_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record {execution, reason} that the gateway closed it without taking money; the first reason stays.

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
    payment = moved or existing(db, order_id, attempt)
    if payment.state != "declined" and (refusal := payment.refusal(captured=True)):
        raise refusal
    return Answer(views.gateway_payment(payment))


def record_refund(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record {execution} that the gateway gave the money back.

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
    payment = moved or existing(db, order_id, attempt)
    if payment.state != "refunded":
        raise IllegalTransition(f"a payment that is {payment.state} cannot be refunded")
    return Answer(views.gateway_payment(payment))


def existing(db: Db, order_id: str, attempt: str) -> Payment:
    """Return the attempt. Raises `IllegalTransition` if it was never opened."""
    if payment := payments.find(db, order_id, int(attempt)):
        return payment
    raise IllegalTransition("the payment was never opened")


def going_on(db: Db, order_id: str, attempt: str) -> Payment:
    """Return the attempt if it is not over. Raises what says that it is."""
    payment = existing(db, order_id, attempt)
    if refusal := payment.refusal():
        raise refusal
    return payment
