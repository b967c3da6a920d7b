"""The settlement's state machine, and the schedule that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import states
from troposphere.events import Rule, Target

from templates.capabilities.payment_workflow import invoke_permission
from templates.capabilities.permissions import Permission, add_role
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.definitions.settlement import FUNCTION, definition

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.data_api import DataApi

EVERY = "rate(1 minute)"
"""Records of an order live for 40 seconds after its end, and until the next run."""


def add_settlement(template: Template, environment: Environment, api: DataApi) -> Workflow:
    """Add the continuous settlement of the stack's orders."""
    settlement = add_state_machine(
        template,
        environment,
        "Settlement",
        definition=definition(),
        substitutions={FUNCTION: api.function.version_arn},
        permissions=[invoke_permission([api.function])],
    )
    start = Permission(
        "Settle",
        "EventBridge starts the settlement and nothing else.",
        [states.StartExecution],
        [settlement.arn],
    )
    role = add_role(template, "SettlementStart", "events.amazonaws.com", [start])
    template.add_resource(
        Rule(
            "SettlementSchedule",
            Description="Settles orders that are over",
            ScheduleExpression=EVERY,
            Targets=[Target(Id="Settlement", Arn=settlement.arn, RoleArn=role, Input="{}")],
        )
    )
    return settlement
