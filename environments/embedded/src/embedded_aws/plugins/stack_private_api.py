"""REST APIs of stacks keep their endpoint type, which MiniStack stores under names that nothing reads.

A private API would be answered to anyone otherwise.
"""

from collections.abc import Callable
from typing import Any

_SPELLING = {"Types": "types", "VpcEndpointIds": "vpcEndpointIds", "IpAddressType": "ipAddressType"}


def mend(handlers: dict[str, Any]) -> None:
    """Spell the endpoint configuration as the API does."""
    api = handlers["AWS::ApiGateway::RestApi"]
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
