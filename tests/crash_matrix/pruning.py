"""Lets time pass until an order's records are pruned, by the data API's own settlement."""

import datetime

from data_api.storage.database import Db
from data_api.use_cases import settle

AFTER = datetime.timedelta(days=60)
"""From a cell's start: past the deadline, the retries, and redrives, for each of which 14 days may pass."""
_AT_A_TIME = 100


def prune(database: Db) -> int:
    """Settle what is due now, by the cell's clock; return how many orders it disputes."""
    disputed: int = 0
    after = ""
    while True:
        asked = {"limit": _AT_A_TIME} | ({"after": after} if after else {})
        answer = settle.settle(database, asked).body
        assert answer is not None
        disputed += answer["disputed"]
        if not (after := answer.get("next", "")):
            return disputed
