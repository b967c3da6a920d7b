"""The payment workflow's state machine, its versions and its `live` alias."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from awacs.awslambda import InvokeFunction
from troposphere import Join, Ref, Sub
from troposphere.stepfunctions import DeploymentPreference, StateMachineAlias, StateMachineVersion

from templates.capabilities.permissions import Permission
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.definitions.payment_workflow import RELEASE_ID, SUBSTITUTIONS, definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.functions import DeployedFunction


ALIAS = "live"


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
        definition=definition(),
        substitutions={SUBSTITUTIONS[name]: function.version_arn for name, function in used.items()}
        | {RELEASE_ID: release_id(functions)},
        permissions=[invoke_permission(list(used.values()))],
    )


def release_id(functions: dict[str, DeployedFunction]) -> Join:
    """Return what tells two versions of the workflow apart: its definition's digest, its functions' versions.

    A version's own number is not known to its definition. The metric ReleaseFailures has it for a dimension,
    so that a canary is judged by its own orders.
    """
    digest = hashlib.sha256(json.dumps(definition(), sort_keys=True).encode()).hexdigest()[:8]
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
