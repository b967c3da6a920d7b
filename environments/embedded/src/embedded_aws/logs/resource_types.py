"""Log groups that CloudFormation names: after their stack, as policies expect, where MiniStack has a path."""

import uuid
from collections.abc import Callable
from typing import Any

from embedded_aws.core import type_table

_Properties = dict[str, Any]


def install() -> None:
    """Name log groups as CloudFormation does."""
    group = type_table.stock_handlers("AWS::Logs::LogGroup")
    group["create"], group["update"] = _creating(group["create"]), _updating(group["update"])


def _creating(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, properties: _Properties, stack: str) -> Any:
        made_up = f"{stack}-{logical_id}-{uuid.uuid4().hex[:12]}"
        return stock(logical_id, {"LogGroupName": made_up} | properties, stack)

    return create


def _updating(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: _Properties, new: _Properties, *rest: Any, **more: Any) -> Any:
        kept = {"LogGroupName": physical_id}
        return stock(physical_id, kept | old, kept | new, *rest, **more)

    return update
