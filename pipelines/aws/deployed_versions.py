"""What a stack runs: the digests of its packages, and the version that its live alias leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.aws import stacks

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

_CODE = "CodeKey"


def digests(aws: Aws, stack: str) -> dict[str, str]:
    """Return the digest of each function's package by function, from the parameters of the stack."""
    parameters = stacks.described(aws, stack).get("Parameters", [])
    return {
        parameter["ParameterKey"].removesuffix(_CODE): parameter["ParameterValue"]
        .rpartition("/")[2]
        .removesuffix(".zip")
        for parameter in parameters
        if parameter["ParameterKey"].endswith(_CODE)
    }


def live_versions(aws: Aws, stack: str) -> dict[str, int]:
    """Return the versions that the payment workflow's alias leads to, with the share of each in percent."""
    alias = stacks.outputs(aws, stack)["PaymentWorkflowAliasArn"]
    routes = aws.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=alias)[
        "routingConfiguration"
    ]
    return {route["stateMachineVersionArn"]: route["weight"] for route in routes}
