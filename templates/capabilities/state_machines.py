"""State machines: the payment workflow with its versions and `live` alias, and the smoke workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import logs, xray
from troposphere import GetAtt, Partition, Ref, Select, Split, StackId, Sub
from troposphere.stepfunctions import (
    CloudWatchLogsLogGroup,
    LogDestination,
    LoggingConfiguration,
    StateMachine,
    TracingConfiguration,
)

from templates.capabilities.encryption_key import add_log_group
from templates.capabilities.permissions import Permission, add_role
from templates.capabilities.stack_interface import from_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment
    from templates.definitions.tasks import State


@dataclass(frozen=True, slots=True)
class Workflow:
    """What others may use of a state machine."""

    title: str
    arn: Ref
    name: GetAtt
    revision_id: GetAtt


def add_state_machine(
    template: Template,
    environment: Environment,
    name: str,
    *,
    definition: State,
    substitutions: dict[str, AWSHelperFn],
    permissions: Sequence[Permission],
    express: bool = False,
) -> Workflow:
    """Add a state machine with its role, log group and traces.

    Its log tells every transition but no input or output: those may hold personal data. An express one runs
    so often that its transitions would cost more than they are worth: it has no history, and logs errors.
    """
    # A name that CloudFormation makes up says nothing of the stack, so that no policy could tell the state
    # machines and executions of two environments in one account apart; executions have no tags. A part of the
    # stack's id makes it new for a stack that is made again: the old one may still wait for its executions.
    incarnation = Select(2, Split("/", StackId))
    # Under this prefix CloudWatch Logs needs no resource policy entry for each group; without it the policy's
    # 5,120 characters are full after a few branches (Step Functions developer guide, "Using CloudWatch Logs
    # to log execution history"). The stack id's last part is new for each stack, also for one made again.
    physical_name = Sub(
        f"/aws/vendedlogs/states/${{AWS::StackName}}-${{Incarnation}}/{name}",
        Incarnation=incarnation,
    )
    group = add_log_group(template, environment, name, from_network("KeyArn"), physical_name=physical_name)
    machine = StateMachine(
        name,
        StateMachineName=Sub(
            f"${{AWS::StackName}}-{name}-${{Incarnation}}", Incarnation=Select(0, Split("-", incarnation))
        ),
        Definition=definition,
        DefinitionSubstitutions={"Partition": Partition} | substitutions,
        RoleArn=add_role(template, name, "states.amazonaws.com", [*permissions, *_every_state_machine()]),
        StateMachineType="EXPRESS" if express else "STANDARD",
        LoggingConfiguration=LoggingConfiguration(
            Level="ERROR" if express else "ALL",
            IncludeExecutionData=False,
            Destinations=[
                LogDestination(CloudWatchLogsLogGroup=CloudWatchLogsLogGroup(LogGroupArn=group.streams_arn))
            ],
        ),
        TracingConfiguration=TracingConfiguration(Enabled=True),
    )
    template.add_resource(machine)
    return Workflow(
        title=str(machine.title),
        arn=Ref(machine),
        name=GetAtt(machine, "Name"),
        revision_id=GetAtt(machine, "StateMachineRevisionId"),
    )


def _every_state_machine() -> list[Permission]:
    return [
        Permission(
            "DeliverLogs",
            "Sets up the delivery of its log. The resource is *: these actions have no resource type (Step "
            "Functions developer guide, 'Using CloudWatch Logs to log execution history').",
            [
                logs.CreateLogDelivery,
                logs.GetLogDelivery,
                logs.UpdateLogDelivery,
                logs.DeleteLogDelivery,
                logs.ListLogDeliveries,
                logs.PutResourcePolicy,
                logs.DescribeResourcePolicies,
                logs.DescribeLogGroups,
            ],
            ["*"],
        ),
        Permission(
            "SendTraces",
            "Sends X-Ray traces and asks what to sample. The resource is *: these actions have no "
            "resource type (Service Authorization Reference, AWS X-Ray).",
            [xray.PutTraceSegments, xray.PutTelemetryRecords, xray.GetSamplingRules, xray.GetSamplingTargets],
            ["*"],
        ),
    ]
