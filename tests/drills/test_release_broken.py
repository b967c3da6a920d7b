"""A release with a broken step: orders fail, and `live` shifts back to the workflow version before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.broken_versions import broken_workflow_version

if TYPE_CHECKING:
    from tests.drills.drill import Scene
    from tests.drills.system import System

_BROKEN = """
from payment_data.errors import UnexpectedResponse
from payment_data.step import logged

@logged
def handler(event):
    raise UnexpectedResponse("a release that nobody tried")
"""


def test_release_broken(scene: Scene) -> None:
    system = scene.system
    good = live(system)
    # Given customers who buy
    system.traffic.prepare(200)
    with system.traffic.flowing(per_second=6):
        # When a release goes live whose first step breaks the data API's contract; Then two alarms ring
        scene.breaks("a workflow version with a broken step is live", lambda: _release(system))
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
    assert live(system) == good
    scene.follow("runbooks/contract-broken.md", "How to know it is fixed")
    scene.follow("runbooks/orders-failing.md", "How to know it is fixed")
    scene.well()


def live(system: System) -> str:
    """Return the ARN of the version that orders run."""
    alias = system.stack.aws.stepfunctions.describe_state_machine_alias(
        stateMachineAliasArn=system.stack.live
    )
    return alias["routingConfiguration"][0]["stateMachineVersionArn"]


def _release(system: System) -> None:
    bad = broken_workflow_version(system.stack, _BROKEN)
    system.stack.aws.stepfunctions.update_state_machine_alias(
        stateMachineAliasArn=system.stack.live,
        routingConfiguration=[{"stateMachineVersionArn": bad, "weight": 100}],
    )
