"""A canary of a release with a broken step, at an hour without customers: synthetic orders tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.broken_versions import broken_workflow_version
from tests.drills.schedules import each_minute
from tests.drills.test_release_broken import live

if TYPE_CHECKING:
    from tests.drills.drill import Scene
    from tests.drills.system import System

_BROKEN = """
from payment_data.errors import UnexpectedResponse
from payment_data.step import logged

@logged
def handler(event):
    raise UnexpectedResponse("a canary that nobody tried")
"""
_PAGE = "runbooks/orders-failing.md"


def test_release_worse(scene: Scene) -> None:
    system = scene.system
    good = live(system)
    with each_minute(system, "ReleaseProbe"), each_minute(system, "Smoke"):
        # When a tenth of no orders runs a release whose first step fails; Then three alarms ring at once
        scene.breaks("a canary with a broken step, and no customers", lambda: _canary(system, good))
        scene.rings("ReleaseWorse", "ContractBroken", "SmokeFailing")
        # And the runbook of the first shows the versions, and the way back
        assert good in scene.follow(_PAGE, "How to fix it", only=2)
        scene.follow(_PAGE, "How to fix it", only=3, VERSION=good)
    # Then the system is well
    assert live(system) == good
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()


def _canary(system: System, good: str) -> None:
    bad = broken_workflow_version(system.stack, _BROKEN)
    system.stack.aws.stepfunctions.update_state_machine_alias(
        stateMachineAliasArn=system.stack.live,
        routingConfiguration=[
            {"stateMachineVersionArn": good, "weight": 90},
            {"stateMachineVersionArn": bad, "weight": 10},
        ],
    )
