"""What CloudFormation says that its role must be able to do: the `handlers` of its resource schemas.

cfn-lint carries the schemas. CloudFormation makes these calls itself, for create, read, update and delete;
the embedded AWS asks about those that every operation makes
(`environments/embedded/src/embedded_aws/cloudformation/stack_calls.yml`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from environments import schema
from environments.groupings import PROMOTED
from templates import network, payments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from environments.schema import Environment


@cache
def needed_by_ours() -> frozenset[str]:
    """The actions that the types of our stacks need, in any promoted environment, however its file pays."""
    environments = [schema.load(name) for name in PROMOTED]
    types = {
        resource["Type"]
        for environment in [*environments, *map(_with_a_way_out, environments)]
        for build in (network.build, payments.build)
        for resource in build(environment).to_dict()["Resources"].values()
    }
    return needed(types, environments[0].region)


def _with_a_way_out(environment: Environment) -> Environment:
    """The environment as if its payment method needed the internet."""
    public = environment.network.model_copy(update={"public_subnet_cidr": "10.255.255.0/28"})
    return environment.model_copy(update={"network": public})


def needed(types: Iterable[str], region: str) -> frozenset[str]:
    """The actions that some resource types need; listing them apart, which no stack does."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # noqa: PLC0415 - a second that few wait for

    described = (PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, name).schema for name in types)
    return frozenset(
        action
        for one in described
        for operation, handler in one["handlers"].items()
        if operation != "list"
        for action in handler.get("permissions", [])
    )
