"""What an id may be: safe as a MongoDB map key, a URL path segment and an execution's name."""

import hashlib
import re

PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
RULE = "must be text of 1 to 64 letters, digits, '-' or '_'"
_ID = re.compile(PATTERN)


def is_id(value: object) -> bool:
    """Return whether the value may be an order, user or product id; never raises, whatever JSON it is."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def record_id(execution_name: str) -> str:
    """Return the id to record a failure under when an execution has no valid order id.

    The execution's name, or a digest of it where the name holds what an id may not.
    """
    if is_id(execution_name):
        return execution_name
    digest = hashlib.sha256(execution_name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"execution-{digest[:40]}"
