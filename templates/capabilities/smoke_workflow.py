"""The smoke workflow's state machine, which tries the payment workflow through its `live` alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import events, states
from troposphere import Sub

from templates.capabilities.payment_workflow import invoke_permission
from templates.capabilities.permissions import Permission
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.definitions.smoke_workflow import definition

if TYPE_CHECKING:
    from troposphere import Ref, Template

    from environments.schema import Environment
    from templates.capabilities.functions import DeployedFunction


def add_smoke_workflow(
    template: Template,
    environment: Environment,
    function: DeployedFunction,
    workflow: Workflow,
    alias_arn: Ref,
) -> Workflow:
    """Add the smoke workflow."""
    return add_state_machine(
        template,
        environment,
        "SmokeWorkflow",
        definition=definition(),
        substitutions={"SmokeVersion": function.version_arn, "WorkflowAlias": alias_arn},
        permissions=[invoke_permission([function]), *_run_a_job(workflow, alias_arn)],
    )


def _run_a_job(workflow: Workflow, alias_arn: Ref) -> list[Permission]:
    # Step Functions developer guide, "IAM policies for nested workflows", synchronous (.sync).
    executions = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution"
    rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule"
    return [
        Permission(
            "PlaceOrders",
            "Places orders as everybody does: through `live`.",
            [states.StartExecution],
            [alias_arn],
        ),
        Permission(
            "FollowOrders",
            "Follows and stops the executions that it started; their names are not known before.",
            [states.DescribeExecution, states.StopExecution],
            [Sub(f"{executions}:${{{workflow.title}.Name}}:*")],
        ),
        Permission(
            "HearOfTheEnd",
            "Step Functions learns of an execution's end through this rule, which it manages itself.",
            [events.PutTargets, events.PutRule, events.DescribeRule],
            [Sub(f"{rules}/StepFunctionsGetEventsForStepFunctionsExecutionRule")],
        ),
    ]
