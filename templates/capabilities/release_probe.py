"""The release probe: what judges a canary that hardly any customer's order runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import states
from troposphere import StackName, Sub

from templates.capabilities.alarms import Symptom
from templates.capabilities.metrics import NAMESPACE, own
from templates.capabilities.permissions import Permission
from templates.capabilities.scheduled_workflows import add_schedule, put_metric
from templates.capabilities.state_machines import Workflow, add_state_machine
from templates.capabilities.workflows import invoke_permission
from templates.definitions import release_probe

if TYPE_CHECKING:
    from troposphere import Ref, Template

    from environments.schema import Environment
    from templates.capabilities.functions import DeployedFunction

EVERY = "rate(1 minute)"
_EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution"


def add_release_probe(
    template: Template,
    environment: Environment,
    smoke: DeployedFunction,
    workflow: Workflow,
    alias_arn: Ref,
) -> Workflow:
    """Add the probe, and start it each minute; where no release is young it asks one question."""
    probe = add_state_machine(
        template,
        environment,
        "ReleaseProbe",
        definition=release_probe.definition(),
        substitutions={
            release_probe.SMOKE: smoke.version_arn,
            release_probe.WORKFLOW: workflow.arn,
            release_probe.ALIAS: alias_arn,
            release_probe.NAMESPACE: NAMESPACE,
            release_probe.SERVICE: StackName,
        },
        permissions=[
            invoke_permission([smoke]),
            Permission(
                "LookAtReleases",
                "Asks which versions there are, and which of them `live` leads to.",
                [states.DescribeStateMachineAlias, states.ListStateMachineVersions],
                [alias_arn, workflow.arn],
            ),
            Permission(
                "PlaceOrders",
                "Places orders with each version, wherever `live` leads.",
                [states.StartExecution],
                [Sub(f"${{{workflow.title}}}:*")],
            ),
            Permission(
                "FollowProbes",
                "Follows the executions that it started.",
                [states.DescribeExecution],
                [Sub(f"{_EXECUTIONS}:${{{workflow.title}.Name}}:*")],
            ),
            Permission(
                "StopProbes",
                "Stops those of its executions that hang.",
                [states.StopExecution],
                [Sub(f"{_EXECUTIONS}:${{{workflow.title}.Name}}:*")],
            ),
            put_metric(),
        ],
        express=True,
    )
    add_schedule(template, probe, "ReleaseProbe", EVERY, "Compares a young release with the one before")
    return probe


def release_symptoms() -> list[Symptom]:
    """Return what the probe finds: two of the runs that look at the newest release while it is young.

    A run alone may be anything; it takes three orders of one version that fail and three of another that do
    not, in each of two runs of eight minutes, whatever the customers' traffic.
    """
    return [
        Symptom(
            "ReleaseWorse",
            "Customers whose order runs the newest release cannot buy: synthetic orders fail in it alone, "
            "and not in the one before.",
            own(release_probe.METRIC, "Maximum"),
            threshold=0,
            minutes=2,
            within=8,
            judges_release=True,
            pages=True,
            page="orders-failing",
        )
    ]
