"""Hold what an order needs, all or none.

A refusal is decided on the order first, then the holds are voided, so whoever finds the decision can finish
the work of a handler that died between the two, and gives the same answer.
"""

from collections.abc import Iterator
from datetime import datetime

from data_api.domain.order import CLOSED, Decision, Order, State
from data_api.domain.requests import Document, deadline, last_write
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, products
from data_api.storage.database import Db
from data_api.storage.products import Stock
from payment_data.errors import (
    DeadlineExceeded,
    FieldError,
    InvalidOrder,
    OrderClosed,
    OutOfStock,
    Problem,
    Throttled,
)

_OPERATION = "reservation"
_ROUNDS = 3


def reserve_products(db: Db, order_id: str, request: Document) -> Answer:
    """Hold what an order needs, and record how it will be paid; the same answer however often it is asked.

    Raises:
        OutOfStock, InvalidOrder: decided, nothing is held.
        OrderNotFound: no such order.
        DeadlineExceeded, OrderClosed: too late, nothing is held.
        Throttled: stock kept changing; ask again.
    """
    until, lands_by = deadline(request), last_write()
    order = orders.get(db, order_id)
    if order.state is State.NEW:
        order = _reserve(db, order, request, until, min(until, lands_by))
    if order.state in CLOSED:
        if order.state is State.CANCELLING:  # else whoever ended it has voided them, or undoes it again
            products.void(db, order, lands_by)
        raise order.refusal(_OPERATION)
    return Answer(views.reservation(order, {line.product_id: "held" for line in order.lines}))


def _reserve(db: Db, order: Order, request: Document, until: datetime, lands_by: datetime) -> Order:
    """Return the order as it is afterwards, by whoever changed it.

    Hold first, and look only if not everything could be held.
    """
    wanted, execution = list(order.lines), request["execution"]
    for number in range(_ROUNDS):
        looked = number > 0  # and found every line's price right when the order was created
        if not wanted or products.hold(db, order, wanted, lands_by, repriced=looked) == len(wanted):
            changes = {"deadline": until, "paid_by": request["method"]}
            reserved = orders.advance(
                db, order, {State.NEW}, State.RESERVED, execution=execution, changes=changes
            )
            return reserved or orders.get_confirmed(db, order.id)
        stock = products.stock_of(db, order, until)
        if refusal := _refusal(order, stock):
            decision = Decision.from_problem(_OPERATION, refusal)
            return orders.refuse(db, order, State.NEW, decision, execution)
        wanted = [line for line in order.lines if stock[line.product_id].hold is None]
    raise Throttled("stock kept changing while the order was being reserved")


def _refusal(order: Order, stock: dict[str, Stock]) -> Problem | None:
    """Return why the order cannot be held, or None."""
    if errors := list(_line_errors(order, stock)):
        return InvalidOrder(f"{len(errors)} field(s) do not fit the data", errors)
    wanted = [line for line in order.lines if stock[line.product_id].hold is None]
    if any(stock[line.product_id].hold == "void" for line in order.lines):
        return OrderClosed("the order's reservation was released")
    if any(stock[line.product_id].late for line in wanted):
        return DeadlineExceeded("the deadline passed before the products were reserved")
    if short := [line for line in wanted if stock[line.product_id].available < line.quantity]:
        errors = [
            FieldError(
                f"lines[{order.lines.index(line)}].quantity",
                f"must be at most {stock[line.product_id].available}, which are available",
            )
            for line in short
        ]
        return OutOfStock(f"{len(short)} line(s) ask for more than is available", errors)
    return None


def _line_errors(order: Order, stock: dict[str, Stock]) -> Iterator[FieldError]:
    for number, line in enumerate(order.lines):
        product = stock.get(line.product_id)
        if product is None or product.synthetic != order.synthetic:
            yield FieldError(f"lines[{number}].product_id", "must be a product's")
            continue
        if product.name != line.name:
            yield FieldError(f"lines[{number}].name", "must be the product's")
        if not product.had_price(line.price, order.created_at):
            yield FieldError(f"lines[{number}].price", f"must be the product's, {product.price}")
        if product.currency != order.currency:
            yield FieldError(f"lines[{number}].price", f"must be in {order.currency}")
