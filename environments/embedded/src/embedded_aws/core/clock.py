"""The time as the APIs give it."""

import time
import uuid


def now() -> float:
    """Seconds since the epoch, to the millisecond, as the JSON protocol writes dates."""
    return round(time.time(), 3)


def new_id() -> str:
    """A new execution id, token or build id."""
    return str(uuid.uuid4())
