"""Remove what a smoke execution made; nothing else can be deleted."""

from data_api.schemas.views import Answer
from data_api.storage import failures, orders, payments, products, users
from data_api.storage.database import Db
from payment_data.errors import IllegalTransition

_GONE = Answer(None, 204)


def delete_product(db: Db, product_id: str) -> Answer:
    """Delete a synthetic product.

    Raises:
        IllegalTransition: it is not synthetic.
    """
    if not products.delete_synthetic(db, product_id) and products.find(db, product_id):
        raise IllegalTransition("only a synthetic product may be deleted")
    return _GONE


def delete_user(db: Db, user_id: str) -> Answer:
    """Delete a synthetic user.

    Raises:
        IllegalTransition: it is not synthetic.
    """
    if not users.delete_synthetic(db, user_id) and users.find(db, user_id):
        raise IllegalTransition("only a synthetic user may be deleted")
    return _GONE


def delete_order(db: Db, order_id: str) -> Answer:
    """Delete a synthetic order, what hangs on it first.

    Raises:
        IllegalTransition: it is not synthetic.
    """
    order = orders.find(db, order_id)
    if order and not order.synthetic:
        raise IllegalTransition("only a synthetic order may be deleted")
    if order:
        failures.delete(db, order_id)
        payments.delete(db, order_id)
        orders.delete_synthetic(db, order_id)
    return _GONE
