"""The database is lost and restored from a backup: what is missing is found, and the rest is put right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipelines.aws import executions
from pipelines.orders.states import PARKED
from tests.waiting import let_pass, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drills.drill import Scene
    from tests.drills.system import System

_PAGE: Final = "disaster-recovery.md"
_SECTION: Final = "The cluster is lost, and restored from a backup"


def _place(system: System, *orders: str) -> None:
    for order in orders:
        list(executions.follow(system.stack.aws, system.traffic.place(order)))


def _parked(system: System) -> list[str]:
    """Return every parked order of the stack, those that the drill did not place included."""
    return [order["order_id"] for order in system.stack.api.orders(state=PARKED)["orders"]]


def test_cluster_restored(scene: Scene, tmp_path: Path) -> None:
    system, backup = scene.system, tmp_path / "backup"
    # Given a backup that knows complete orders and new ones, and orders that came after it
    complete, placed_later, delivered, *waiting = system.traffic.prepare(43)
    _place(system, complete)
    system.back_up(backup)
    let_pass(1)  # the executions' times are told to the second
    point = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    [unknown] = system.traffic.prepare(1)
    _place(system, placed_later, delivered, unknown)
    system.traffic.waiting = waiting
    with system.traffic.flowing(per_second=2):
        # When the cluster is lost; Then the alarm of the data API rings
        scene.breaks("MongoDB is killed and its disk is lost", system.kill_database)
        scene.rings("DataApiErrors")
    scene.outside("the cluster is restored from the backup", lambda: system.restore(backup))
    # And the page's commands find what the restored database does not know
    found = scene.follow(_PAGE, _SECTION, only=0, POINT_IN_TIME=point).split()
    assert unknown in found
    assert placed_later in found
    assert complete not in found
    assert "not known to the data API" in scene.follow(_PAGE, _SECTION, only=1, ORDER=unknown)
    system.traffic.placed.remove(unknown)
    # And the orders that it knows in an earlier state than their execution are undone, or parked for a person
    scene.follow(_PAGE, _SECTION, only=2)
    wait_until(lambda: not system.undoing(), system.undoing, seconds=120, every=0.5)
    # When the person completes one that was delivered, and has each other parked one undone
    assert {placed_later, delivered} <= set(_parked(system))
    completed = scene.follow(_PAGE, _SECTION, only=3, DELIVERED=delivered, METHOD="credit")
    assert delivered in completed.split()
    for order in _parked(system):
        scene.follow(_PAGE, _SECTION, only=4, ORDER=order)
    wait_until(lambda: not _parked(system), lambda: _parked(system), seconds=120, every=0.5)
    assert system.stack.api.order(delivered)["state"] == "COMPLETED"
    # Then what is there fits together, and the system is well
    scene.follow(_PAGE, _SECTION, only=5)
    scene.well()
