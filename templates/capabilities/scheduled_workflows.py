"""Workflows that a schedule starts: the sweeper undoes what was cut off, the settlement closes orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import states
from troposphere import Sub
from troposphere.events import InputTransformer, Rule, Target

from templates.capabilities.permissions import Permission, add_role
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.capabilities.workflows import invoke_permission
from templates.definitions import settlement as settlement_states
from templates.definitions import sweeper as sweeper_states

if TYPE_CHECKING:
    from troposphere import GetAtt, Template

    from environments.schema import Environment
    from templates.capabilities.data_api import DataApi
    from templates.capabilities.functions import DeployedFunction

SWEEP_EVERY = "rate(5 minutes)"
_EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution"


def add_sweeper(
    template: Template,
    environment: Environment,
    functions: dict[str, DeployedFunction],
    workflow: Workflow,
) -> Workflow:
    """Add the sweeper of the workflow's orders."""
    used = {name: functions[name] for name in sweeper_states.SUBSTITUTIONS}
    executions = f"{_EXECUTIONS}:${{{workflow.title}.Name}}"
    sweeper = add_state_machine(
        template,
        environment,
        "Sweeper",
        definition=sweeper_states.definition(),
        substitutions={
            sweeper_states.SUBSTITUTIONS[name]: function.version_arn for name, function in used.items()
        }
        | {"Executions": Sub(executions)},
        permissions=[
            invoke_permission(list(used.values())),
            Permission(
                "LookAtOrders",
                "Asks whether an order's execution has ended, before it touches the order.",
                [states.DescribeExecution],
                [Sub(f"{executions}:*")],
            ),
        ],
    )
    _start_it(template, sweeper, workflow)
    return sweeper


def _start_it(template: Template, sweeper: Workflow, workflow: Workflow) -> None:
    start = Permission(
        "Sweep", "EventBridge starts the sweeper and nothing else.", [states.StartExecution], [sweeper.arn]
    )
    role = add_role(template, "SweeperStart", "events.amazonaws.com", [start])
    template.add_resource(
        Rule(
            "CutOff",
            Description="Sweeps the order of an execution that ended without an end of its own",
            EventPattern=_cut_off(workflow),
            Targets=[_target(sweeper, role, transformed=True)],
        )
    )
    template.add_resource(
        Rule(
            "SweepSchedule",
            Description="Sweeps orders that no event told of",
            ScheduleExpression=SWEEP_EVERY,
            Targets=[_target(sweeper, role, transformed=False)],
        )
    )


def _cut_off(workflow: Workflow) -> dict[str, object]:
    """Match what was stopped, timed out, or failed with an error of Step Functions' own.

    `States.ALL` catches neither States.Runtime nor States.DataLimitExceeded. A business failure has another
    name, and is over. Where `States.Timeout` was compensated, the sweep finds that there is nothing to do.
    """
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [workflow.arn],
            "$or": [{"status": ["ABORTED", "TIMED_OUT"]}, {"error": [{"prefix": "States."}]}],
        },
    }


def _target(sweeper: Workflow, role: GetAtt, *, transformed: bool) -> Target:
    order = InputTransformer(
        InputPathsMap={"order": "$.detail.name"}, InputTemplate='{"order_id": "<order>"}'
    )
    what = {"InputTransformer": order} if transformed else {"Input": "{}"}
    return Target(Id="Sweeper", Arn=sweeper.arn, RoleArn=role, **what)


SETTLE_EVERY = "rate(1 minute)"
"""Records of an order live for 40 seconds after its end, and until the next run."""


def add_settlement(template: Template, environment: Environment, api: DataApi) -> Workflow:
    """Add the continuous settlement of the stack's orders."""
    settlement = add_state_machine(
        template,
        environment,
        "Settlement",
        definition=settlement_states.definition(),
        substitutions={settlement_states.FUNCTION: api.function.version_arn},
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
            ScheduleExpression=SETTLE_EVERY,
            Targets=[Target(Id="Settlement", Arn=settlement.arn, RoleArn=role, Input="{}")],
        )
    )
    return settlement
