"""Until when a forward operation may happen.

Forward writes check the deadline by MongoDB's clock, so a request that lands late does nothing. The horizon
is what makes pruning safe: a tombstone kept for longer than this outlives every request it must stop.
"""

from datetime import UTC, datetime, timedelta

from data_api.domain.documents import Document
from payment_data.errors import FieldError, InvalidRequest

HORIZON = timedelta(hours=24)


def deadline(request: Document) -> datetime:
    """Return the request's deadline.

    Raises:
        InvalidRequest: it is more than 24 hours ahead.
    """
    at = datetime.fromisoformat(request["deadline"])
    if at > datetime.now(UTC) + HORIZON:
        raise InvalidRequest(
            "the deadline is too far ahead", [FieldError("deadline", "must be within 24 hours")]
        )
    return at
