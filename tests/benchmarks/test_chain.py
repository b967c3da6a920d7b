"""Orders a second of the whole chain in one process, held against what its writes alone would allow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from data_api.storage import collections
from tests.benchmarks import chains, contest, rivals, sandboxes
from tests.benchmarks.chains import Chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from data_api.storage.database import Db
    from embedded_aws.mongod import Mongod

_OLD: Final = 100_000
_OF_WRITES: Final = 0.8
_WITH_OLD_ORDERS: Final = 0.9
_PLACES: Final[dict[str, Callable[[int], int]]] = {"distinct": rivals.distinct, "hot": rivals.hot}


@pytest.fixture
def old_db(db: Db) -> Iterator[Db]:
    """Another database on the same server, with old orders in it."""
    old: Db = db.client[f"old-{os.getpid()}"]
    collections.ensure(old)
    chains.grow_old(old, _OLD)
    yield old
    db.client.drop_database(old.name)


@pytest.mark.parametrize("documents", _PLACES)
def test_the_chain_is_as_quick_as_its_writes(db: Db, mongod: Mongod, documents: str) -> None:
    # Given what one order costs
    place = _PLACES[documents]
    writes, reads = chains.commands(db, mongod.uri, place)
    rows = []
    for callers in (1, 16):
        # When the chain and bare updates take turns
        with sandboxes.started(callers) as started, chains.chosen():
            chain = Chain(db, started, place)
            bare = rivals.charge(db, place)["bare"]
            alone = chains.commands_alone(db, place, bare, writes, reads)
            rivals_of_it = {"chain": chain.place, "alone": alone, "bare": bare}
            held = contest.hold(rivals_of_it, callers=callers, seconds=1.0, server=mongod.pid)
        rows += _rows(held, writes, callers)
    # Then
    contest.report(f"chain-{documents}", {"writes": writes, "reads": reads, "ratios": rows})
    assert (writes, reads) == (5, 2)


def _rows(held: contest.Contest, writes: int, callers: int) -> list[dict[str, Any]]:
    """Hold the chain to its writes by the clock, and by the server's work.

    One interpreter runs all callers here, so the clock is the interpreter's, and a read costs it what a write
    does: the second row is what no chain of so many commands can exceed. On Lambda each caller has its own
    interpreter, and what they share is MongoDB: the third row.
    """
    rows = []
    spent = {name: held.server_milliseconds(name) for name in ("chain", "bare")}
    for what, ratio, one, other in (
        (
            "orders a second",
            held.ratio("chain", "bare", factor=1 / writes),
            f"{held.rate('chain'):.0f}/s",
            f"{held.rate('bare') / writes:.0f}/s",
        ),
        (
            "orders a second, of its commands alone",
            held.ratio("alone", "bare", factor=1 / writes),
            f"{held.rate('alone'):.0f}/s",
            f"{held.rate('bare') / writes:.0f}/s",
        ),
        (
            "MongoDB's processor time",
            spent["bare"] * writes / spent["chain"],
            f"{spent['chain']:.2f} ms",
            f"{spent['bare'] * writes:.2f} ms",
        ),
    ):
        beside = {"callers": callers, "order": one, "its writes, bare": other}
        rows.append(contest.line(what, ratio, _OF_WRITES, **beside))
    return rows


def test_old_orders_slow_nothing_down(db: Db, old_db: Db) -> None:
    # Given the same shop beside 100,000 orders of long ago, and beside none
    rows = []
    for callers in (1, 16):
        with sandboxes.started(callers) as started, chains.chosen():
            old, empty = Chain(old_db, started, rivals.distinct), Chain(db, started, rivals.distinct)
            # When orders are placed here and there in turns
            turns = {"old": old.place, "empty": empty.place}
            held = contest.hold(turns, callers=callers, seconds=0.5, rounds=15)
        rates = {"with them": f"{held.rate('old'):.0f}/s", "without": f"{held.rate('empty'):.0f}/s"}
        ratio = held.ratio("old", "empty")
        rows.append(
            contest.line("with old orders / without", ratio, _WITH_OLD_ORDERS, callers=callers, **rates)
        )
    # Then
    contest.report("chain-old-orders", {"old_orders": _OLD, "ratios": rows})
