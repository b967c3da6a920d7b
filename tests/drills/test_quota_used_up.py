"""A loop uses up the account's quota of state transitions: orders are slowed down until it is stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "runbooks/orders-throttled.md"
_LOOP: Final = {
    "StartAt": "Again",
    "States": {
        "Again": {"Type": "Pass", "Next": "And again"},
        "And again": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "Again"}]},
    },
}


def test_quota_used_up(scene: Scene) -> None:
    system = scene.system
    stepfunctions = system.stack.aws.stepfunctions
    machine = stepfunctions.create_state_machine(
        name="somebody-elses-loop",
        definition=json.dumps(_LOOP),
        roleArn=stepfunctions.describe_state_machine(stateMachineArn=system.stack.smoke)["roleArn"],
    )["stateMachineArn"]

    def loop() -> None:
        for _ in range(4):
            stepfunctions.start_execution(stateMachineArn=machine, input='{"a": 1}')

    # Given customers who buy
    system.traffic.prepare(100)
    with system.traffic.flowing(per_second=2):
        # When a loop uses the quota up; Then the alarm rings, and the runbook shows whose it is
        scene.breaks("another state machine of the account loops", loop)
        scene.rings("OrdersThrottled")
        assert f"{machine}: 4 running" in scene.follow(_PAGE, "How to see it")
        # And its executions are stopped
        scene.follow(_PAGE, "How to fix it", MACHINE=machine)
    stepfunctions.delete_state_machine(stateMachineArn=machine)
    # Then the system is well
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()
