"""The states that an order can be in, as the data API names them."""

from __future__ import annotations

from typing import Final

PARKED: Final = "NEEDS_ATTENTION"
"""The state of an order whose undo could not be finished."""
STATES: Final = ("NEW", "RESERVED", "PAID", "COMPLETED", "CANCELLING", "FAILED", PARKED)
