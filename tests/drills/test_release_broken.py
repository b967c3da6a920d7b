"""A release with a broken step: orders fail, and `live` shifts back to the workflow version before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.drills.broken_versions import publish_broken

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
    bad = broken_version(system, _BROKEN)
    system.stack.aws.stepfunctions.update_state_machine_alias(
        stateMachineAliasArn=system.stack.live,
        routingConfiguration=[{"stateMachineVersionArn": bad, "weight": 100}],
    )


def broken_version(system: System, code: str) -> str:
    """Publish the workflow with another version of its first step, as a deployment does; return its ARN.

    The workflow itself is as before again afterwards: a version is all that is left.
    """
    functions, stepfunctions = system.stack.aws.functions, system.stack.aws.stepfunctions
    name = system.physical("ReserveProductsFunction")
    bad = publish_broken(functions, name, "reserve_products", code)
    whole = stepfunctions.describe_state_machine(stateMachineArn=system.stack.workflow)["definition"]
    definition = json.loads(whole)
    for state in definition["States"].values():
        _aim(
            state,
            f":{name}:",
            f"{functions.get_function(FunctionName=name, Qualifier=bad)['Configuration']['FunctionArn']}",
        )
    made = stepfunctions.update_state_machine(
        stateMachineArn=system.stack.workflow, definition=json.dumps(definition), publish=True
    )
    stepfunctions.update_state_machine(stateMachineArn=system.stack.workflow, definition=whole)
    return str(made["stateMachineVersionArn"])


def _aim(state: dict[str, Any], of: str, version: str) -> None:
    arguments = state.get("Arguments", {})
    if of in arguments.get("FunctionName", ""):
        arguments["FunctionName"] = version
