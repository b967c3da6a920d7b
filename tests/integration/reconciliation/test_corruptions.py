"""Reconciliation names each of many corruptions, and finds nothing where all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.reconciliation.corruptions import CORRUPTIONS, Corruption

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.reconciliation.world import World

STAGES = ("fresh", "entered", "settled")
CASES = [(corruption, stage) for corruption in CORRUPTIONS for stage in STAGES if stage in corruption.stages]


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
    assert len(names) == len(set(names)) >= 60
