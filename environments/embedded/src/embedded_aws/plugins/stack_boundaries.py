"""A role that CloudFormation makes is held by its permissions boundary, which MiniStack's forgets.

Private names of MiniStack that it touches: `provisioners._RESOURCE_HANDLERS` and `iam._roles`.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import iam

_Handlers = dict[str, dict[str, Callable[..., Any]]]


def mend(handlers: _Handlers) -> None:
    """Keep the boundary of what the type's own functions make and change."""
    known = handlers["AWS::IAM::Role"]
    known["create"], known["update"] = _bounding_new(known["create"]), _bounding(known["update"])


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
