"""Reconciliation names each of many corruptions, and finds nothing where all is well."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.crash_matrix.singles import WHOLE
from tests.integration.reconciliation.corruptions import CORRUPTIONS, Corruption

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.reconciliation.world import World

STAGES = ("fresh", "entered", "settled")


def _stages(number: int, corruption: Corruption) -> tuple[str, ...]:
    """Return the worlds to break so: each where all is proven (`make proofs`), else one after the other."""
    there = tuple(stage for stage in STAGES if stage in corruption.stages)
    return there if WHOLE else (there[number % len(there)],)


CASES = [
    (corruption, stage)
    for number, corruption in enumerate(CORRUPTIONS)
    for stage in _stages(number, corruption)
]


@pytest.mark.parametrize("stage", STAGES)
def test_a_world_in_order_has_no_difference(worlds: Callable[[str], World], stage: str) -> None:
    assert worlds(stage).differences() == []


@pytest.mark.parametrize(
    ("corruption", "stage"), CASES, ids=[f"{corruption.name}-{stage}" for corruption, stage in CASES]
)
def test_what_was_broken_is_named(worlds: Callable[[str], World], corruption: Corruption, stage: str) -> None:
    # Given
    world = worlds(stage)
    # When
    corruption.act(world)
    # Then
    differences = world.differences()
    named = {difference.about for difference in differences}
    named |= {order for difference in differences for order in (difference.order_id or "").split(", ")}
    assert corruption.named in named, differences


def test_there_are_many_ways_to_break_a_world() -> None:
    names = [corruption.name for corruption in CORRUPTIONS]
    assert len(names) == len(set(names)) >= 140
    # And each world is broken in many
    assert min(Counter(stage for _, stage in CASES).values()) >= 30


@pytest.mark.parametrize("stage", STAGES)
def test_a_users_name_and_wallet_are_held_nowhere_else_and_so_not_seen(
    worlds: Callable[[str], World], stage: str
) -> None:
    # Given
    world = worlds(stage)
    # When
    world.db.users.update_one({"_id": "ada"}, {"$set": {"username": "Eve", "wallet": {"card": "pm_eve"}}})
    # Then it is as docs/how-it-works/money.md says
    assert world.differences() == []


def test_clocks_that_differ_by_half_a_minute_are_no_difference(worlds: Callable[[str], World]) -> None:
    # Given an order that was created by a clock ahead of the one that reserved it
    world = worlds("fresh")
    order = world.db.orders.find_one("done") or {}
    ahead = order["history"][1]["at"] + timedelta(seconds=29)
    # When
    world.db.orders.update_one({"_id": "done"}, {"$set": {"created_at": ahead, "history.0.at": ahead}})
    # Then
    assert world.differences() == []
