"""Worlds whose books are in order: fresh, entered into the ledger, and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data_api.storage import connection
from tests.integration.reconciliation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_api.storage.database import Db
    from embedded_aws.mongod import Mongod
    from payment_data.client import DataApi


@pytest.fixture(scope="session")
def snapshots() -> dict[str, World.Snapshot]:
    """Each world as it was made once, because that takes a hundred requests."""
    return {}


@pytest.fixture
def db(shared_database: str, mongod: Mongod, monkeypatch: pytest.MonkeyPatch) -> Db:
    """The data API's own connection, to what the test before left: worlds put back only what differs."""
    monkeypatch.setenv("MONGODB_URI", mongod.uri)
    monkeypatch.setenv("MONGODB_DATABASE", shared_database)
    return connection.database()


@pytest.fixture
def worlds(api: DataApi, db: Db, snapshots: dict[str, World.Snapshot]) -> Callable[[str], World]:
    """Return a function that makes the world of a stage."""

    def made(stage: str) -> World:
        world = World(api, db)
        if stage not in snapshots:
            world.empty()
            snapshots[stage] = world.open().at(stage).snapshot()
        else:
            world.restore(snapshots[stage])
        return world

    return made
