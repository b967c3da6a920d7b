"""Create a product, a user or an order, once."""

from typing import TypeVar

from data_api.domain.order import Order
from data_api.domain.requests import Document, fingerprint
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, products, users
from data_api.storage.database import Db
from payment_data.errors import FieldError, IdempotencyMismatch, InvalidRequest, Throttled
from payment_data.money import MAX_AMOUNT

_Stored = TypeVar("_Stored", Order, Document)


def create_product(db: Db, product_id: str, body: Document) -> Answer:
    """Create a product (201), or return what this same request created before (200).

    Raises:
        IdempotencyMismatch: another product has this id.
        Throttled: the product was deleted at the same moment.
    """
    mark = fingerprint(body)
    created = products.create(db, product_id, body, mark)
    document = _same("product", products.find(db, product_id), mark)
    return Answer(views.product(document), 201 if created else 200)


def create_user(db: Db, user_id: str, body: Document) -> Answer:
    """Create a user (201), or return what this same request created before (200).

    Raises:
        IdempotencyMismatch: another user has this id.
        Throttled: the user was deleted at the same moment.
    """
    mark = fingerprint(body)
    created = users.create(db, user_id, body, mark)
    document = _same("user", users.find(db, user_id), mark)
    return Answer(views.user(document), 201 if created else 200)


def create_order(db: Db, order_id: str, body: Document) -> Answer:
    """Create an order (201), or return what this same request created before (200).

    Whether its products and user exist is checked when the order is placed, not here.

    Raises:
        InvalidRequest: the total is over the limit.
        IdempotencyMismatch: another order has this id.
        Throttled: the order was deleted at the same moment.
    """
    if sum(line["price"] * line["quantity"] for line in body["lines"]) > MAX_AMOUNT:
        rule = f"must not add up to more than {MAX_AMOUNT}"
        raise InvalidRequest("the total is over the limit", [FieldError("lines", rule)])
    mark = fingerprint(body)
    created = orders.create(db, order_id, body, mark)
    order = _same("order", orders.find(db, order_id), mark)
    return Answer(views.order(order), 201 if created else 200)


def _same(kind: str, stored: _Stored | None, asked: str) -> _Stored:
    """Return what is stored if the request's fingerprint is its own."""
    if stored is None:
        raise Throttled(f"the {kind} was deleted at the same moment")
    if (stored.fingerprint if isinstance(stored, Order) else stored["fingerprint"]) != asked:
        raise IdempotencyMismatch(f"another {kind} has this id")
    return stored
