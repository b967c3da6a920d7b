"""A role that CloudFormation makes is held by its permissions boundary, which MiniStack's forgets.

Private name of MiniStack that it touches: `iam._roles`.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import iam

from embedded_aws.core import type_table


def install() -> None:
    """Keep the permissions boundary of roles that the type's own handlers create and update."""
    role = type_table.stock_handlers("AWS::IAM::Role")
    role["create"], role["update"] = _bounding_new(role["create"]), _bounding(role["update"])


def _bounding_new(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        made = stock(logical_id, props, stack)
        iam._roles[made[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return made

    return create


def _bounding(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        changed = stock(physical_id, old, new, *rest)
        iam._roles[changed[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return changed

    return update
