"""The network stack's one parameter: the peering connection with Atlas, which deployments keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.aws import stacks
from templates.capabilities.peering import PEERING_ID

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws


def parameters(aws: Aws) -> dict[str, str]:
    """Return the parameters of an environment's network stack as they are now.

    A deployment hands them over again: a change set takes a parameter's default where it is not given.
    """
    if aws.environment.database.kind != "atlas":
        return {}
    return {PEERING_ID: atlas_peering(aws)}


def atlas_peering(aws: Aws) -> str:
    """Return the id of the peering connection that the stack routes through; empty where there is none."""
    name = aws.environment.network_stack
    if stacks.status(aws, name) is None:
        return ""
    stated = {
        p["ParameterKey"]: p["ParameterValue"] for p in stacks.described(aws, name).get("Parameters", [])
    }
    return stated.get(PEERING_ID, "")
