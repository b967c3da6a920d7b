"""Answer questions: reads only."""

from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import failures, orders, payments, products, users
from data_api.storage.database import Db
from payment_data.errors import NotFound


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
