"""What rests on a read alone waits until a majority confirms the read.

Just after a failover the new primary answers a read of level majority with what was before, though the change
was answered: https://www.mongodb.com/docs/manual/reference/read-concern-linearizable/
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import monitoring

from data_api.storage import connection
from payment_data.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.data_api.shop import Shop

UNDOS = ("refund", "release", "fail")
ENDS = {
    "completed": ("reserve", "charge", "deliver"),
    "undone": ("reserve", "charge", "refund", "release", "fail"),
    "being undone": ("reserve", "charge", "refund"),
}


class Commands(monitoring.CommandListener):
    """The reads of a request after the last write that changed something, each with its level."""

    def __init__(self) -> None:
        self.reads_after_change: list[tuple[str, str]] = []
        self._reads: dict[int, tuple[str, str]] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == "find":
            level = event.command.get("readConcern", {}).get("level")
            self._reads[event.request_id] = (event.command["find"], level)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "find":
            self.reads_after_change.append(self._reads[event.request_id])
        elif event.reply.get("n") or event.reply.get("value"):
            self.reads_after_change.clear()

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture
def commands(shop: Shop, mongod: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commands]:
    heard = Commands()
    shop.open()
    with connection.connect(mongod.uri, heard) as client:
        monkeypatch.setattr(connection, "database", lambda: client[shop.db.name])
        yield heard


@pytest.mark.parametrize("undo", UNDOS)
@pytest.mark.parametrize("end", ENDS)
def test_an_undo_that_changes_nothing_rests_on_a_confirmed_read(
    shop: Shop, commands: Commands, end: str, undo: str
) -> None:
    # Given an order that went its way
    for step in ENDS[end]:
        getattr(shop, step)()
    commands.reads_after_change.clear()
    # When it is undone
    with suppress(Problem):
        getattr(shop, undo)()
    # Then whatever was read of it after the last change, a majority confirmed
    assert {level for collection, level in commands.reads_after_change if collection == "orders"} <= {
        "linearizable"
    }


@pytest.mark.parametrize(
    ("before", "step"),
    [((), "charge"), ((), "deliver"), (("reserve",), "deliver"), (("reserve", "refund"), "deliver")],
)
def test_a_step_comes_too_early_only_after_a_confirmed_read(
    shop: Shop, commands: Commands, before: tuple[str, ...], step: str
) -> None:
    # Given an order for which it is too early, or too late
    for earlier in before:
        getattr(shop, earlier)()
    commands.reads_after_change.clear()
    # When the step runs
    with pytest.raises(Problem):
        getattr(shop, step)()
    # Then
    assert commands.reads_after_change[-1] == ("orders", "linearizable")


def test_an_order_is_missing_only_after_a_confirmed_read(shop: Shop, commands: Commands) -> None:
    for step in ("reserve", "charge", "deliver", *UNDOS[:2]):
        commands.reads_after_change.clear()
        with pytest.raises(Problem, match="no order has this id"):
            getattr(shop, step)("o-nobody")
        assert commands.reads_after_change[-1] == ("orders", "linearizable")
