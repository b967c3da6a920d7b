"""Create a user, once."""

from data_api.domain.documents import Document
from data_api.domain.fingerprints import fingerprint
from data_api.schemas import views
from data_api.storage import users
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from payment_data.errors import IdempotencyMismatch, Throttled


def create_user(db: Db, user_id: str, body: Document) -> Answer:
    """Create it (201), or return it if this same request created it before (200).

    Raises:
        IdempotencyMismatch: another user has this id.
    """
    mark = fingerprint(body)
    created = users.create(db, user_id, body, mark)
    document = users.find(db, user_id)
    if document is None:
        raise Throttled("the user was deleted at the same moment")
    if document["fingerprint"] != mark:
        raise IdempotencyMismatch("another user has this id")
    return Answer(views.user(document), 201 if created else 200)
