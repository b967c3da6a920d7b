"""How far a document has come on its way into the ledger: its field `books`.

absent: not there yet. entered: what its records say is in the ledger. settling: also what they end as, and
the records are on their way out. settled: the records are gone. synthetic: made by a smoke execution, which
removes it again; the ledger never hears of it.
"""

from typing import Any, Final

ENTERED: Final = "entered"
SETTLING: Final = "settling"
SETTLED: Final = "settled"
SYNTHETIC: Final = "synthetic"
EVERY: Final = [None, ENTERED, SETTLING, SETTLED, SYNTHETIC]
"""All values, None standing for a field that is absent, as it does in MongoDB's queries."""


def at_creation(body: dict[str, Any]) -> dict[str, str]:
    """Return the fields that a document begins with."""
    return {"books": SYNTHETIC} if body.get("synthetic") else {}
