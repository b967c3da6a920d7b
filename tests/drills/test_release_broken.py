"""A release with a broken step: orders fail, and `live` shifts back to the workflow version before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.broken_versions import live_version, release_broken

if TYPE_CHECKING:
    from tests.drills.drill import Scene


def test_release_broken(scene: Scene) -> None:
    system = scene.system
    good = live_version(system.stack)
    # Given customers who buy
    system.traffic.prepare(200)
    with system.traffic.flowing(per_second=6):
        # When a release goes live whose first step breaks the data API's contract; Then two alarms ring
        scene.breaks("a workflow version with a broken step is live", lambda: release_broken(system.stack))
        scene.rings("ContractBroken", "OrdersFailing")
    # And the runbooks show what fails, and the way back
    assert "nobody tried" in scene.follow("runbooks/contract-broken.md", "How to see it")
    assert "reservation" in scene.follow("runbooks/contract-broken.md", "How to fix it")
    assert "UnexpectedResponse" in scene.follow("runbooks/orders-failing.md", "How to see it")
    assert good in scene.follow("runbooks/orders-failing.md", "How to fix it", only=2)
    scene.follow("runbooks/orders-failing.md", "How to fix it", only=3, VERSION=good)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well
    assert live_version(system.stack) == good
    scene.follow("runbooks/contract-broken.md", "How to know it is fixed")
    scene.follow("runbooks/orders-failing.md", "How to know it is fixed")
    scene.well()
