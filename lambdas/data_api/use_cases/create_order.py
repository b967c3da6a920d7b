"""Create an order, once."""

from data_api.domain.documents import Document
from data_api.domain.fingerprints import fingerprint
from data_api.schemas import views
from data_api.storage import orders
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from payment_data.errors import FieldError, IdempotencyMismatch, InvalidRequest, Throttled
from payment_data.money import MAX_AMOUNT


def create_order(db: Db, order_id: str, body: Document) -> Answer:
    """Create it (201), or return it if this same request created it before (200).

    Whether products and user exist is asked when the order is placed, not here.

    Raises:
        InvalidRequest: the total is over the limit.
        IdempotencyMismatch: another order has this id.
    """
    if sum(line["price"] * line["quantity"] for line in body["lines"]) > MAX_AMOUNT:
        rule = f"must not add up to more than {MAX_AMOUNT}"
        raise InvalidRequest("the total is over the limit", [FieldError("lines", rule)])
    mark = fingerprint(body)
    created = orders.create(db, order_id, body, mark)
    order = orders.find(db, order_id)
    if order is None:
        raise Throttled("the order was deleted at the same moment")
    if order.fingerprint != mark:
        raise IdempotencyMismatch("another order has this id")
    return Answer(views.order(order), 201 if created else 200)
