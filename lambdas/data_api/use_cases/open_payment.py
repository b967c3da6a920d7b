"""Open an attempt to pay an order through a gateway: the fence before anything is asked of it."""

from data_api.domain.order import Order, State
from data_api.domain.payment import Payment
from data_api.domain.requests import Document, deadline
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, payments, users
from data_api.storage.database import Db
from data_api.storage.users import Payer
from payment_data.errors import (
    DeadlineExceeded,
    FieldError,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidOrder,
    OrderClosed,
    Throttled,
)

_ROUNDS = 3
_PAID = {State.PAID, State.COMPLETED}


def open_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Open an attempt to pay the order, or return what was opened, captured or not.

    The deadline that counts is the one the order was reserved with, until the bank was asked. The insert is
    not conditional on the order's state and need not be: undoing closes the order first and then bars the
    first attempt that is not there, so whichever write comes second finds the other.

    Raises:
        PaymentDeclined: decided; the detail is the reason.
        InvalidOrder: the user is gone or has another currency.
        IdempotencyMismatch: the order is paid by another method.
        IllegalTransition: nothing is reserved yet, or the attempt before was not declined.
        OrderNotFound, DeadlineExceeded, OrderClosed: nothing was opened, or it is over.
    """
    deadline(request)
    number, method = int(attempt), request["method"]
    for _ in range(_ROUNDS):
        if opened_before := payments.find(db, order_id, number):
            return Answer(views.gateway_payment(_as_opened(opened_before, method)))
        order = orders.get(db, order_id)
        if order.state is State.NEW:
            order = orders.get_confirmed(db, order_id)
        if order.state in _PAID and payments.find_confirmed(db, order_id, number):
            continue  # another request of this order paid it since we looked
        _check_payable(db, order, number, method)
        means = _payer(db, order).means(method)
        if payments.insert(db, order, number, method, means, execution=request["execution"]):
            opened = Payment(order.id, number, method, "intent", order.total, order.currency)
            opened = opened._replace(
                customer=means.get("customer"), payment_method=means.get("payment_method")
            )
            return Answer(views.gateway_payment(opened), 201)
    raise Throttled("the payment was opened and deleted at the same moment")


def _as_opened(payment: Payment, method: str) -> Payment:
    """Return a payment that was opened before, if it may go on."""
    if payment.method != method:
        raise IdempotencyMismatch("the payment was opened with another method")
    if refusal := payment.refusal():
        raise refusal
    if payment.state == "intent" and payment.late:
        raise DeadlineExceeded("the order's deadline passed before it was charged")
    return payment


def _check_payable(db: Db, order: Order, attempt: int, method: str) -> None:
    if order.state is State.NEW:
        raise IllegalTransition("the order's products are not reserved yet")
    if order.state is not State.RESERVED:
        raise OrderClosed(f"the order is {order.state}")
    if order.paid_by != method:
        raise IdempotencyMismatch(f"the order is paid by {order.paid_by}")
    if attempt > 1:
        before = payments.find_confirmed(db, order.id, attempt - 1)
        if before is None or before.state != "declined":
            raise IllegalTransition("the attempt before was not declined")


def _payer(db: Db, order: Order) -> Payer:
    payer = users.payer(db, order)
    if payer is None or payer.synthetic != order.synthetic:
        raise InvalidOrder("the user is gone", [FieldError("user_id", "must be a user's")])
    if payer.currency != order.currency:
        raise InvalidOrder("another currency", [FieldError("currency", "must be the user's")])
    if payer.late:
        raise DeadlineExceeded("the order's deadline passed before it was charged")
    return payer
