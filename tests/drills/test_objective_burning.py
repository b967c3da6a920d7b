"""Every order fails by a fault for an hour: the budget of the service level objective is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.drills.broken_versions import live_version, release_broken

if TYPE_CHECKING:
    from tests.drills.drill import Scene

MINUTE_SECONDS: Final = 0.3
"""The slower of the two looks at six hours."""
_HEALTH: Final = "runbooks/health.md"
_FAILING: Final = "runbooks/orders-failing.md"


def test_objective_burning(scene: Scene) -> None:
    system = scene.system
    good = live_version(system.stack)
    # Given customers who buy
    system.traffic.prepare(150)
    with system.traffic.flowing(per_second=3):
        # When a release goes live whose first step fails; Then the budget burns, by both measures
        scene.breaks(
            "a workflow version with a broken step is live for an hour", lambda: release_broken(system.stack)
        )
        scene.rings("ObjectiveBurningFast", "ObjectiveBurningSlowly")
        told = scene.follow(_HEALTH, "How to see it")
        assert "ObjectiveBurningFastAlarm" in told
        assert "ObjectiveBurningSlowlyAlarm" in told
        # And the alarm that rings beside them has the way back
        assert "ContractBrokenAlarm" in told
        assert good in scene.follow(_FAILING, "How to fix it", only=2)
        scene.follow(_FAILING, "How to fix it", only=3, VERSION=good)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well
    scene.follow(_HEALTH, "How to know it is fixed")
    scene.well()
