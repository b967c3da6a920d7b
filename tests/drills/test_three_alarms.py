"""Three things break at once: each alarm rings by itself, and is mended by its own runbook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.drills.drill import SWEEP_AT_ONCE
from tests.rehearsal.sweeping import abandon
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_SWEEP: Final = "runbooks/sweep-failing.md"
_SMOKE: Final = "runbooks/smoke-failing.md"
_FORBIDDEN: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}],
    }
)


def test_three_alarms(scene: Scene) -> None:
    system = scene.system
    rule = system.physical("SettlementSchedule")
    [order] = system.traffic.prepare(1)

    def forbid(role: str) -> None:
        system.client("iam").put_role_policy(
            RoleName=system.physical(role), PolicyName="freeze", PolicyDocument=_FORBIDDEN
        )

    def break_three() -> None:
        system.client("events").disable_rule(Name=rule)
        forbid("SmokeWorkflowRole")
        system.stack.aws.stepfunctions.start_execution(stateMachineArn=system.stack.smoke, input="{}")
        forbid("SweeperStartRole")
        abandon(system.stack, order, "PAID")
        system.traffic.placed.append(order)

    # When a schedule is disabled, EventBridge may not start the sweeper, and smoke may place no orders
    scene.breaks(
        "a schedule is disabled, the sweeper may not be started, and smoke may place no orders", break_three
    )
    # Then all three ring, none behind another, and one look names them with their pages
    scene.rings("ScheduleSilent", "EventsUndelivered", "SmokeFailing")
    told = scene.follow("runbooks/health.md", "How to see it")
    for alarm, page in (
        ("ScheduleSilentAlarm", _SWEEP),
        ("EventsUndeliveredAlarm", _SWEEP),
        ("SmokeFailingAlarm", _SMOKE),
    ):
        assert any(alarm in line and page in line for line in told.splitlines()), told
    # And the page shows the rule and the event, and its commands mend both
    seen = scene.follow(_SWEEP, "How to see it", only=1)
    assert f"{rule}\tDISABLED" in seen
    assert system.physical("CutOff") in seen
    scene.follow(_SWEEP, "How to fix it", only=0, RULE=rule)
    assert "freeze" in scene.follow(_SWEEP, "How to fix it", only=1, ROLE="SweeperStartRole", POLICY="freeze")
    scene.follow(_SWEEP, "How to fix it", only=2)
    # And the order that no event told of is swept
    scene.follow(_SWEEP, "How to fix it", only=SWEEP_AT_ONCE)
    wait_until(lambda: system.stack.api.order(order)["state"] == "FAILED", "the order is undone", seconds=60)
    # And the third is mended by its own page
    scene.follow(_SMOKE, "How to fix it", POLICY="freeze")
    scene.follow(_SMOKE, "How to know it is fixed")
    scene.follow(_SWEEP, "How to know it is fixed")
    scene.well()
