"""The payment workflow with its versions and its `live` alias, and the smoke workflow that tries it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from awacs import events, states
from awacs.awslambda import InvokeFunction
from troposphere import Join, Ref, Sub
from troposphere.stepfunctions import DeploymentPreference, StateMachineAlias, StateMachineVersion

from templates.capabilities.permissions import Permission
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.definitions import payment_workflow, smoke_workflow
from templates.definitions.payment_workflow import RELEASE_ID, SUBSTITUTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.functions import DeployedFunction

ALIAS = "live"
SYNC_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""Of Step Functions itself, one in an account: how it hears of an execution that another one waits for."""


def add_payment_workflow(
    template: Template, environment: Environment, functions: dict[str, DeployedFunction]
) -> Workflow:
    """Add the payment workflow, its tasks on exactly these versions of the functions.

    Raises:
        ValueError: A state calls a function that there is none of.
    """
    if missing := sorted(SUBSTITUTIONS.keys() - functions.keys()):
        raise ValueError(
            f"{', '.join(missing)} of the payment workflow is not in ROUTES of"
            " templates/capabilities/step_functions.py: name it there, with the requests that it makes."
        )
    used = {name: functions[name] for name in SUBSTITUTIONS}
    return add_state_machine(
        template,
        environment,
        "PaymentWorkflow",
        definition=payment_workflow.definition(),
        substitutions={SUBSTITUTIONS[name]: function.version_arn for name, function in used.items()}
        | {RELEASE_ID: release_id(functions)},
        permissions=[invoke_permission(list(used.values()))],
    )


def release_id(functions: dict[str, DeployedFunction]) -> Join:
    """Return what tells two versions of the workflow apart: its definition's digest, its functions' versions.

    A version's own number is not known to its definition. The metric ReleaseFailures has it for a dimension,
    so that a canary is judged by its own orders.
    """
    digest = hashlib.sha256(json.dumps(payment_workflow.definition(), sort_keys=True).encode()).hexdigest()[
        :8
    ]
    return Join("-", [digest, *(functions[name].version_number for name in SUBSTITUTIONS)])


def invoke_permission(functions: Sequence[DeployedFunction]) -> Permission:
    """Return the right to call any version of these functions, and never what is unpublished."""
    return Permission(
        "CallFunctions",
        "Calls its own functions, any published version: executions in flight finish on older ones.",
        [InvokeFunction],
        [Sub(f"${{{function.title}.Arn}}:*") for function in functions],
    )


def add_live_alias(
    template: Template, environment: Environment, workflow: Workflow, alarms: Sequence[Ref]
) -> Ref:
    """Publish the workflow as a version, shift `live` to it, and return the alias's ARN.

    A version is what executions hold on to, so it is kept when it is replaced. Alarms roll a gradual shift
    back (AWS documentation, AWS::StepFunctions::StateMachineAlias DeploymentPreference).
    """
    version = StateMachineVersion(
        "PaymentWorkflowVersion",
        StateMachineArn=workflow.arn,
        StateMachineRevisionId=workflow.revision_id,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    alias = StateMachineAlias(
        "PaymentWorkflowLive",
        Name=ALIAS,
        Description="What orders run; a deployment shifts it, a rollback shifts it back",
        DeploymentPreference=_shift(environment, version, alarms),
    )
    template.add_resource(version)
    template.add_resource(alias)
    return Ref(alias)


def _shift(
    environment: Environment, version: StateMachineVersion, alarms: Sequence[Ref]
) -> DeploymentPreference:
    deployment = environment.deployment
    gradual: dict[str, Any] = {}
    if deployment.type != "ALL_AT_ONCE":
        gradual = {
            "Percentage": deployment.percentage,
            "Interval": deployment.interval_minutes,
            "Alarms": list(alarms),
        }
    return DeploymentPreference(StateMachineVersionArn=Ref(version), Type=deployment.type, **gradual)


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
        definition=smoke_workflow.definition(),
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
            [Sub(f"{rules}/{SYNC_RULE}")],
        ),
    ]
