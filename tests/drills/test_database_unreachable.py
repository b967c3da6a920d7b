"""MongoDB cannot be reached: requests fail, orders wait, and go on when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.drills.drill import Scene


def test_database_unreachable(scene: Scene) -> None:
    system = scene.system
    # Given customers who buy
    system.traffic.prepare(40)
    with system.traffic.flowing(per_second=2):
        # When the database is gone; Then an alarm rings, and its runbook says what it is
        scene.breaks("MongoDB is killed while orders come in", system.kill_database)
        scene.rings("DataApiErrors")
        told = scene.follow("runbooks/health.md", "How to see it")
        assert "data-api-errors.md" in told
        assert '"status": "503"' in scene.follow("runbooks/data-api-errors.md", "How to see it", only=0)
        assert "active" in scene.follow("runbooks/data-api-errors.md", "How to fix it")
        # And when its owner starts it again
        scene.outside("the database's owner starts it again", system.start_database)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well, and so are the orders of the time between
    scene.follow("runbooks/data-api-errors.md", "How to know it is fixed")
    scene.follow("runbooks/health.md", "How to know it is fixed")
    scene.follow("index.md", "Once a day")
    scene.follow("index.md", "When somebody asks about one order", ORDER=system.traffic.placed[0])
    scene.well()
