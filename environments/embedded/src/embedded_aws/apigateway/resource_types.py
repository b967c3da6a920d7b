"""AWS::ApiGateway::RestApi and ::Stage: what MiniStack's handlers drop.

A REST API keeps its endpoint type, which MiniStack stores under names that nothing reads: a private API would
be answered to anyone otherwise. A stage keeps its `AccessLogSetting`.
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.core import ministack_names as private
from embedded_aws.core import type_table

_SPELLING = {"Types": "types", "VpcEndpointIds": "vpcEndpointIds", "IpAddressType": "ipAddressType"}


def install() -> None:
    """Wrap MiniStack's handlers of the two types."""
    api, stage = (type_table.stock_handlers(f"AWS::ApiGateway::{kind}") for kind in ("RestApi", "Stage"))
    create, update = stage["create"], stage["update"]
    stage["create"] = lambda name, properties, stack: _logging(properties, create(name, properties, stack))
    stage["update"] = lambda physical, old, new, stack: _logging(new, update(physical, old, new, stack))
    for operation in ("create", "update"):
        api[operation] = _with_endpoint_type(api[operation])


def _with_endpoint_type(stock: Callable[..., Any]) -> Callable[..., Any]:
    def made(*arguments: Any, **options: Any) -> Any:
        return stock(*(_spelled(argument) for argument in arguments), **options)

    return made


def _spelled(argument: Any) -> Any:
    """Return resource properties respelled, and any other argument as it is."""
    if not isinstance(argument, dict) or "EndpointConfiguration" not in argument:
        return argument
    endpoint = argument["EndpointConfiguration"]
    respelled = {_SPELLING.get(name, name): value for name, value in endpoint.items()}
    return {**argument, "EndpointConfiguration": respelled}


def _logging(properties: dict[str, Any], made: Any) -> Any:
    setting = properties.get("AccessLogSetting") or {}
    stage = private.apigateway_v1.stages_v1.get(properties["RestApiId"], {}).get(properties["StageName"])
    if stage is not None:
        wanted = {"destinationArn": setting.get("DestinationArn"), "format": setting.get("Format")}
        stage["accessLogSettings"] = wanted if setting else {}
    return made
