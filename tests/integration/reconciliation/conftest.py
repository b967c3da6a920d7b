"""Worlds whose books are in order: fresh, entered into the ledger, and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.reconciliation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_api.storage.database import Db
    from payment_data.client import DataApi


@pytest.fixture(scope="session")
def snapshots() -> dict[str, World.Snapshot]:
    """Each world as it was made once, because that takes a hundred requests."""
    return {}


@pytest.fixture
def worlds(api: DataApi, db: Db, snapshots: dict[str, World.Snapshot]) -> Callable[[str], World]:
    """Return a function that makes the world of a stage."""

    def made(stage: str) -> World:
        world = World(api, db)
        if stage not in snapshots:
            snapshots[stage] = world.open().at(stage).snapshot()
        else:
            world.restore(snapshots[stage])
        return world

    return made
