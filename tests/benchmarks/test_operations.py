"""What an operation with its record in the same write costs, and what it spares against a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.benchmarks import contest, rivals

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_api.storage.database import Db

_OF_BARE: Final = 0.85
_OF_TRANSACTIONS: Final = {"distinct": 2.0, "hot": 10.0}
"""With 16 callers; a single caller has nobody to be in the way of."""


@pytest.mark.parametrize("operation", [rivals.charge, rivals.hold, rivals.advance])
def test_one_write_against_a_bare_one_and_a_transaction(
    db: Db, operation: Callable[..., dict[str, Callable[[int], object]]]
) -> None:
    # Given documents enough
    rows = []
    places = {"distinct": rivals.distinct, "hot": rivals.hot}
    if operation is rivals.advance:  # an order is never hot
        del places["hot"]
    for name, place in places.items():
        for callers in (1, 16):
            for collection in ("users", "products", "orders"):
                db[collection].delete_many({})
            # When the three take turns
            held = contest.hold(operation(db, place), callers=callers)
            rows += _rows(held, name, callers)
    # Then
    contest.report(f"operations-{operation.__name__}", {"ratios": rows})


def _rows(held: contest.Contest, place: str, callers: int) -> list[dict[str, Any]]:
    beside = {"documents": place, "callers": callers, "ours": f"{held.rate('ours'):.0f}/s"}
    rows = []
    for rival in ("bare", "transaction"):
        wanted = _OF_BARE if rival == "bare" else _OF_TRANSACTIONS[place] if callers > 1 else 1.0
        rate = f"{held.rate(rival):.0f}/s"
        rows.append(contest.line(f"ours / {rival}", held.ratio("ours", rival), wanted, **beside, rival=rate))
    return rows
