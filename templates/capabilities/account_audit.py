"""Reconciliation on a schedule: the workflow that compares accounts with the ledger, its rights and alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import states
from troposphere import StackName, Sub

from templates.capabilities.alarms import Symptom
from templates.capabilities.metrics import NAMESPACE, Metric, own, total
from templates.capabilities.permissions import Permission
from templates.capabilities.scheduled_workflows import RECONCILE_EVERY, add_schedule, put_metric
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.capabilities.workflows import invoke_permission
from templates.definitions.account_audit import FUNCTION, METRIC, SERVICE, SPACE, definition

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.data_api import DataApi

NAME = "Reconciliation"
_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"


def add_account_audit(template: Template, environment: Environment, api: DataApi) -> Workflow:
    """Add the workflow and its schedule."""
    own_name = f"${{AWS::StackName}}-{NAME}-*"
    audit = add_state_machine(
        template,
        environment,
        NAME,
        definition=definition(),
        substitutions={FUNCTION: api.function.version_arn, SPACE: NAMESPACE, SERVICE: StackName},
        permissions=[
            invoke_permission([api.function]),
            Permission(
                "GoOn",
                "Asks where its own run before stopped. It is named by its pattern: a role cannot name the "
                "state machine that is made with it.",
                [states.ListExecutions, states.DescribeExecution],
                [Sub(f"{_ARN}:stateMachine:{own_name}"), Sub(f"{_ARN}:execution:{own_name}:*")],
            ),
            put_metric(),
        ],
    )
    add_schedule(template, audit, NAME, RECONCILE_EVERY, "Compares accounts with the ledger")
    return audit


def reconciliation_symptoms(audit: Workflow) -> list[Symptom]:
    """Return what can be wrong with what is compared: a difference, or that nothing is."""
    ended_badly = [
        Metric("AWS/States", name, {"StateMachineArn": audit.arn})
        for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    ]
    return [
        Symptom(
            "ReconciliationFailing",
            "A customer's balance or a product's stock is not what the ledger says, or nobody could compare "
            "them.",
            total("Astray", [own(METRIC, "Maximum"), *ended_badly]),
            threshold=0,
            # A point comes each ten minutes, and keeps it ringing until a run finds nothing.
            within=14,
            first="payments reconcile",
            money=True,
        )
    ]
