"""Answer questions: reads only, but for where a sweep along the orders stopped."""

from data_api.domain.order import State
from data_api.domain.requests import Document
from data_api.schemas import accounting, views
from data_api.schemas.views import Answer
from data_api.storage import failures, order_pages, orders, payments, products, users
from data_api.storage.database import Db
from data_api.storage.settlement import Place
from payment_data.errors import FieldError, InvalidRequest, NotFound


def show_product(db: Db, product_id: str) -> Answer:
    """Return a product.

    Raises:
        NotFound: nothing has this id.
    """
    if document := products.find(db, product_id):
        return Answer(views.product(document))
    raise NotFound("no product has this id")


def show_user(db: Db, user_id: str) -> Answer:
    """Return a user.

    Raises:
        NotFound: nothing has this id.
    """
    if document := users.find(db, user_id):
        return Answer(views.user(document))
    raise NotFound("no user has this id")


def show_order(db: Db, order_id: str) -> Answer:
    """Return an order.

    Raises:
        OrderNotFound: no order has this id.
    """
    return Answer(views.order(orders.get(db, order_id)))


def show_reservation(db: Db, order_id: str) -> Answer:
    """Return what an order holds.

    Raises:
        OrderNotFound: no order has this id.
    """
    order = orders.get(db, order_id)
    return Answer(views.reservation(order, products.holds(db, order)))


def show_payment(db: Db, order_id: str) -> Answer:
    """Return an order's payment, or its last attempt at one.

    Raises:
        OrderNotFound: no order has this id.
    """
    order = orders.get(db, order_id)
    payer = users.payer(db, order)
    operation = payer.operation if payer else None
    if operation is None and (payment := payments.latest(db, order_id)):
        return Answer(views.gateway_payment(payment))
    return Answer(views.payment(order, operation))


def show_deliveries(db: Db, order_id: str) -> Answer:
    """Return an order's deliveries.

    Raises:
        OrderNotFound: no order has this id.
    """
    return Answer(views.deliveries(orders.get(db, order_id)))


def show_failures(db: Db, order_id: str) -> Answer:
    """Return an order's failures; an order that does not exist may have some."""
    return Answer(views.failures(order_id, failures.of_order(db, order_id)))


def show_history(db: Db, order_id: str) -> Answer:
    """Return an order's changes of state, oldest first.

    Raises:
        OrderNotFound: no order has this id.
    """
    return Answer(views.history(orders.get(db, order_id)))


_LIMIT = 100


def list_orders(db: Db, query: Document) -> Answer:
    """Return a page of orders in a state, or in any.

    Raises:
        InvalidRequest: `after` is nothing that an earlier page gave.
    """
    limit = query.get("limit", _LIMIT)
    states = [query["state"]] if "state" in query else list(State)
    page = order_pages.by_change(db, states, _place(query.get("after", "")), limit)
    answer: Document = {"orders": [accounting.listed(order) for order in page]}
    if len(page) == limit:
        answer["next"] = f"{page[-1].updated_at.isoformat()}~{page[-1].id}"
    return Answer(answer)


def _place(text: str) -> Place | None:
    if not text:
        return None
    at, _, order_id = text.partition("~")
    try:
        return Place.parse(at, order_id)
    except ValueError as error:
        rule = "must be what an earlier answer gave as `next`"
        raise InvalidRequest("the query breaks a rule", [FieldError("after", rule)]) from error


def keep_sweep(db: Db, place: Document) -> Answer:
    """Keep where a sweep stopped; without a place, that it came to the end."""
    order_pages.keep_sweep(db, place)
    return Answer(place)


def show_sweep(db: Db) -> Answer:
    """Return where the last sweep stopped; without a place, it came to the end."""
    return Answer(order_pages.find_sweep(db))
