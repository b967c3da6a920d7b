"""E9002: no function is outside of the VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, properties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


def _functions_outside(template: Json) -> Iterator[Fault]:
    for name, function in properties(template, "AWS::Lambda::Function"):
        path = ("Resources", name, "Properties")
        network = function.get("VpcConfig")
        if not network:
            yield Fault(path, "the function has no VpcConfig, so it is not in the VPC")
            continue
        for key in ("SubnetIds", "SecurityGroupIds"):
            if not network.get(key):
                yield Fault((*path, "VpcConfig"), f"the function has no {key}, so it is not in the VPC")


FUNCTIONS_IN_VPC: Final = HouseRule(
    "E9002",
    "Every Lambda function is in the VPC",
    "A function outside of it reaches the internet, and the private data API does not answer it.",
    _functions_outside,
)
