"""What requests have in common: a body, its fingerprint, and until when its writes may happen.

Every write on a product or a user carries a deadline by MongoDB's clock, seconds after its request began, so
whatever was frozen or lost on its way does nothing when it lands late. This is what makes pruning safe: an
order's records stay for one horizon after its end, and by then nothing can come that they would have to stop.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from payment_data.errors import FieldError, InvalidRequest

Document = dict[str, Any]
"""A MongoDB document, or a JSON body: keys are strings, values what BSON or JSON holds."""

LONGEST_DEADLINE = timedelta(hours=24)
"""How far ahead a request's own deadline may be."""
WRITE_WINDOW = timedelta(seconds=10)
"""How long after its request began a write may land: three times what API Gateway waits for the answer."""
CLOCK_SKEW = timedelta(seconds=30)
"""How far the clocks of functions and of the database's members may differ."""
KEPT_PRICES = 500
"""Of a product, different ones: some twenty kilobytes."""
HORIZON = WRITE_WINDOW + CLOCK_SKEW
"""How long after an order's end its records are needed."""


def fingerprint(body: Document) -> str:
    """Return a digest of the body that does not depend on the order of its keys.

    Two requests with the same key are the same request if their fingerprints are equal.
    """
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def opening_mark(key: str, amount: int) -> str:
    """Return a digest of what a user or product began with: what somebody edits later does not fit it."""
    return fingerprint({"id": key, "amount": amount})


def deadline(request: Document) -> datetime:
    """Return the request's deadline.

    Raises:
        InvalidRequest: it is more than 24 hours ahead.
    """
    at = datetime.fromisoformat(request["deadline"])
    if at > datetime.now(UTC) + LONGEST_DEADLINE:
        raise InvalidRequest(
            "the deadline is too far ahead", [FieldError("deadline", "must be within 24 hours")]
        )
    return at


def last_write() -> datetime:
    """Return until when the writes of a request that begins now may land; ask before anything is read."""
    return datetime.now(UTC) + WRITE_WINDOW
