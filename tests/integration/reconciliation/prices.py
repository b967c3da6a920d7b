"""What the world's products cost, in cents."""

from __future__ import annotations

from typing import Final

PRICE: Final = 500
EARLIER: Final = {"tea": PRICE, "cup": 450}
"""When they were created."""
