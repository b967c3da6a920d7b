"""The smoke workflow may not place orders any more, while customers can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "runbooks/smoke-failing.md"
_FORBIDDEN: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}],
    }
)


def test_smoke_failing(scene: Scene) -> None:
    system = scene.system
    role = system.physical("SmokeWorkflowRole")

    def forbid() -> None:
        system.client("iam").put_role_policy(RoleName=role, PolicyName="freeze", PolicyDocument=_FORBIDDEN)
        system.stack.aws.stepfunctions.start_execution(stateMachineArn=system.stack.smoke, input="{}")

    # When its role is forbidden to start orders; Then its next run fails, and that is heard and seen
    scene.breaks("the smoke workflow may not place orders", forbid)
    scene.rings("SmokeFailing")
    assert "SmokeFailed" in scene.follow(_PAGE, "How to see it")
    # And when the policy is gone, it passes
    assert "freeze" in scene.follow(_PAGE, "How to fix it", POLICY="freeze")
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()
