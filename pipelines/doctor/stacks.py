"""Checks what everything else needs: bootstrap and network stacks, the pipelines, their connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from environments.groupings import PROMOTED
from payment_data.errors import Problem
from pipelines.aws import stacks
from pipelines.aws.accounts import PIPELINES_STACK
from pipelines.definitions.bootstrap_stack import RUNTIME_BOUNDARY
from pipelines.deploy import payment_methods as listed_methods
from pipelines.deploy.pipelines import APPLICATION_SIGNALS, service_roles_exist
from pipelines.doctor.findings import Diagnosis, failed, unknown, well
from pipelines.orders import payment_stack

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.aws.accounts import Aws

_DEPLOY: Final = "payments pipeline deploy"
_ROLES: Final = ("DeploymentRole", "ExecutionRole", "InspectionRole", RUNTIME_BOUNDARY)
_NETWORK: Final = ("VpcId", "PrivateSubnetIds", "DataApiSecurityGroupId", "DataApiRoleArn")
_HANDSHAKE: Final = (
    "Open Developer Tools, Settings, Connections in the console of the tools account, choose the connection, "
    "and complete the handshake with the provider."
)


def bootstrap(aws: Aws, stack: str) -> Diagnosis:
    """Check that the account has the roles that pipelines assume there."""
    return _stack(aws, stack, _ROLES, _DEPLOY)


def service_linked_roles(aws: Aws) -> Diagnosis:
    """Check that the account has the role that a first service level objective would have to make."""
    if service_roles_exist(aws):
        return well("Application Signals has its service-linked role")
    return failed(
        "Application Signals has no service-linked role, and no pipeline may make it",
        f"aws iam create-service-linked-role --aws-service-name {APPLICATION_SIGNALS}",
    )


def network(aws: Aws) -> Diagnosis:
    """Check that the environment has its network."""
    name = aws.environment.name
    return _stack(
        aws,
        aws.environment.network_stack,
        _NETWORK,
        _DEPLOY if name in PROMOTED else f"payments deploy {name}",
    )


def pipelines(tools: Aws) -> Diagnosis:
    """Check that the pipelines are deployed."""
    return _stack(tools, PIPELINES_STACK, ("ConnectionArn", "ReleasePipelineName"), _DEPLOY)


def connection(tools: Aws) -> Diagnosis:
    """Check that somebody completed the connection's handshake with the repository's provider.

    Raises:
        ClientError: AWS refused for another reason than a connection that is gone.
    """
    if stacks.status(tools, PIPELINES_STACK) is None:
        return failed("There are no pipelines, so there is no connection", _DEPLOY)
    arn = stacks.outputs(tools, PIPELINES_STACK).get("ConnectionArn", "")
    try:
        answer = tools.client("codeconnections").get_connection(ConnectionArn=arn)["Connection"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return failed(f"The connection {arn} is gone", f"Delete the stack {PIPELINES_STACK}, then: {_DEPLOY}")
    return handshake(arn, answer["ConnectionStatus"])


def handshake(arn: str, status: str) -> Diagnosis:
    """Return what a connection's status means (API reference, Connection)."""
    if status == "AVAILABLE":
        return well(f"{arn} is AVAILABLE")
    return failed(f"{arn} is {status}: pushes start nothing", _HANDSHAKE)


def _stack(aws: Aws, name: str, outputs: Collection[str], remedy: str) -> Diagnosis:
    state = stacks.status(aws, name)
    if state is None:
        return failed(f"There is no stack {name} in {aws.environment.account}", remedy)
    if not state.endswith("_COMPLETE") or state in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}:
        return failed(f"{name} is in {state}", f"Read its events, fix what they report, then: {remedy}")
    lacking = sorted(set(outputs) - set(stacks.outputs(aws, name)))
    if lacking:
        return failed(f"{name} is older than this checkout: it lacks {', '.join(lacking)}", remedy)
    return well(f"{name} is in {state}")


def payment_methods(aws: Aws) -> Diagnosis:
    """Check that the environment lists every payment method that an unfinished order was paid by."""
    name = aws.environment.default_stack
    if stacks.status(aws, name) is None:
        return well(f"There is no stack {name} yet, and no order in it")
    try:
        answer = listed_methods.asked(payment_stack.connect(aws, name).api, aws.environment)
    except Problem as problem:
        return unknown(f"The data API answered: {problem}", "Try again later.")
    if not answer.unlisted:
        return well("Every unfinished order is paid by a method that the environment lists")
    return failed(
        f"Unfinished orders are paid by methods that the environment does not list: {answer.counts()}",
        f"Add them to also_refunds in environments/{aws.environment.name}.yml and deploy; leave them there"
        " until those orders have ended.",
    )
