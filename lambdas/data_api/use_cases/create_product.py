"""Create a product, once."""

from data_api.domain.documents import Document
from data_api.domain.fingerprints import fingerprint
from data_api.schemas import views
from data_api.storage import products
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from payment_data.errors import IdempotencyMismatch, Throttled


def create_product(db: Db, product_id: str, body: Document) -> Answer:
    """Create it (201), or return it if this same request created it before (200).

    Raises:
        IdempotencyMismatch: another product has this id.
    """
    mark = fingerprint(body)
    created = products.create(db, product_id, body, mark)
    document = products.find(db, product_id)
    if document is None:
        raise Throttled("the product was deleted at the same moment")
    if document["fingerprint"] != mark:
        raise IdempotencyMismatch("another product has this id")
    return Answer(views.product(document), 201 if created else 200)
