"""Workflows that a schedule starts: sweeper, settlement, smoke test, and what looks whether schedules run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import cloudwatch, events, states
from awacs.aws import Condition, StringEquals
from troposphere import GetAtt, Ref, StackName, Sub
from troposphere.events import InputTransformer, Rule, Target

from templates.capabilities.metrics import NAMESPACE
from templates.capabilities.permissions import Permission, add_role
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.capabilities.undelivered_events import kept_where_undelivered
from templates.capabilities.workflows import invoke_permission
from templates.definitions import schedule_check
from templates.definitions import settlement as settlement_states
from templates.definitions import sweeper as sweeper_states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troposphere import Template

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
    return Target(Id="Sweeper", Arn=sweeper.arn, RoleArn=role, **what, **kept_where_undelivered())


SETTLE_EVERY = "rate(1 minute)"
"""Records of an order live for 40 seconds after its end, and until the next run."""
SMOKE_EVERY = "rate(5 minutes)"
RECONCILE_EVERY = "rate(10 minutes)"
CHECK_EVERY = "rate(1 minute)"
_MOST_SECONDS = {
    "SweepSchedule": 660,
    "SettlementSchedule": 240,
    "SmokeSchedule": 660,
    "ReconciliationSchedule": 1260,
}
"""Since the last start: what two starts in a row leave out, and a little more."""
_UNDATED = ("CutOff", "ReleaseProbeSchedule")
"""Rules on events, and of an express workflow, whose executions nobody can list."""
RULES = (*_UNDATED, *_MOST_SECONDS, "ScheduleCheckSchedule")
"""The logical ids of a watched stack's rules."""


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
    add_schedule(template, settlement, "Settlement", SETTLE_EVERY, "Settles orders that are over")
    return settlement


def schedule_smoke(template: Template, smoke: Workflow) -> None:
    """Place synthetic orders between releases, too."""
    add_schedule(template, smoke, "Smoke", SMOKE_EVERY, "Places synthetic orders")


def add_schedule_check(template: Template, environment: Environment, machines: Mapping[str, Ref]) -> None:
    """Add what looks at the stack's rules and at what they start.

    Args:
        template: Where it goes.
        environment: Says how its log is kept.
        machines: The logical id of each rule on a schedule, to the state machine that it starts.
    """
    rules = {**{rule: _MOST_SECONDS[rule] for rule in machines}, **dict.fromkeys(_UNDATED)}
    check = add_state_machine(
        template,
        environment,
        "ScheduleCheck",
        definition=schedule_check.definition(rules),
        substitutions={
            **{rule: Ref(rule) for rule in rules},
            **{f"{rule}Machine": arn for rule, arn in machines.items()},
            schedule_check.NAMESPACE: NAMESPACE,
            schedule_check.SERVICE: StackName,
        },
        permissions=[
            Permission(
                "LookAtRules",
                "Asks whether the stack's rules are enabled.",
                [events.DescribeRule],
                [GetAtt(rule, "Arn") for rule in rules],
            ),
            Permission(
                "LookAtExecutions",
                "Asks when what they start was started last.",
                [states.ListExecutions],
                list(machines.values()),
            ),
            put_metric(),
        ],
        express=True,
    )
    add_schedule(template, check, "ScheduleCheck", CHECK_EVERY, "Looks whether schedules run")


def put_metric() -> Permission:
    """Return the right to write metrics of the stack's own."""
    return Permission(
        "TellHowMany",
        "Writes one metric. The resource is *: the action has no resource type (Service "
        "Authorization Reference, CloudWatch); the condition binds it to the stack's namespace.",
        [cloudwatch.PutMetricData],
        ["*"],
        Condition(StringEquals({"cloudwatch:namespace": NAMESPACE})),
    )


def add_schedule(template: Template, machine: Workflow, name: str, every: str, description: str) -> None:
    """Start a state machine on a schedule, as a role that may start it and nothing else."""
    start = Permission(
        name, "EventBridge starts this one workflow and nothing else.", [states.StartExecution], [machine.arn]
    )
    role = add_role(template, f"{name}Start", "events.amazonaws.com", [start])
    template.add_resource(
        Rule(
            f"{name}Schedule",
            Description=description,
            ScheduleExpression=every,
            Targets=[Target(Id=name, Arn=machine.arn, RoleArn=role, Input="{}", **kept_where_undelivered())],
        )
    )
