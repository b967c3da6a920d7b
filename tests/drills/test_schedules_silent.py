"""Nobody starts what a schedule starts: a rule is disabled, and another may not start its workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "runbooks/sweep-failing.md"
_FORBIDDEN: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}],
    }
)


def test_schedules_silent(scene: Scene) -> None:
    system = scene.system
    iam, events = system.client("iam"), system.client("events")

    def silence() -> None:
        events.disable_rule(Name=system.physical("SmokeSchedule"))
        role = system.physical("SettlementStartRole")
        iam.put_role_policy(RoleName=role, PolicyName="freeze", PolicyDocument=_FORBIDDEN)

    # When a rule is disabled, and a rule's role is forbidden to start settlements; Then both are heard
    scene.breaks("the smoke test's rule is disabled, and settlements may not be started", silence)
    scene.rings("ScheduleSilent", "EventsUndelivered")
    # And the runbook shows which, and why
    said = scene.follow(_PAGE, "How to see it", only=1)
    assert system.physical("SettlementSchedule") in said
    assert "not authorized" in said
    # And when the rule is enabled, the policy gone and the queue read, it is quiet
    assert system.physical("SmokeSchedule") in scene.follow(
        _PAGE, "How to fix it", only=0, RULE="SmokeSchedule"
    )
    scene.follow(_PAGE, "How to fix it", only=1, ROLE="SettlementStartRole", POLICY="freeze")
    scene.follow(_PAGE, "How to fix it", only=2)
    scene.well()
