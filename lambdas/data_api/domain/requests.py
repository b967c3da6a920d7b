"""What requests have in common: a body, its fingerprint, and until when a forward operation may happen.

Forward writes check their deadline by MongoDB's clock, so a request that lands late does nothing. The horizon
is what makes pruning safe: a tombstone kept for longer than this outlives every request it must stop.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from payment_data.errors import FieldError, InvalidRequest

Document = dict[str, Any]
"""A MongoDB document, or a JSON body: keys are strings, values what BSON or JSON holds."""

HORIZON = timedelta(hours=24)


def fingerprint(body: Document) -> str:
    """Return a digest of the body that does not depend on the order of its keys.

    Two requests with the same key are the same request if their fingerprints are equal.
    """
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


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
