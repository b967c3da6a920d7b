"""A VPC's private DNS for API Gateway, and what its interface endpoint adds to a request.

On AWS the execute-api interface endpoint answers for `*.execute-api.<region>.amazonaws.com` inside its VPC,
and a request through it carries `aws:SourceVpce`. A private API is reached in no other way.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
"""

import contextvars
import json
import os
import re
from collections.abc import Callable, MutableMapping
from typing import Any

from ministack import app

from embedded_aws.core import ministack_names as private

_HOST = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([A-Za-z0-9_-]+)")
_DOOR = re.compile(r"/_vpce/(vpce-[0-9a-f]+)(/.*)")
_FORBIDDEN = {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}
_endpoint: contextvars.ContextVar[str] = contextvars.ContextVar("vpc_endpoint_of_the_request")


def install() -> None:
    """Give requests their endpoint, and refuse a request to a private API that comes without one."""
    app.app = _through_the_door(app.app)
    private.app.enforce_execute_api = _only_through_an_endpoint(private.app.enforce_execute_api)
    private.app.enforce_data_plane = _with_source_vpce(private.app.enforce_data_plane)


def resolved(variables: dict[str, str], config: dict[str, Any]) -> dict[str, str]:
    """Map API Gateway's hosts in a function's environment to this instance, through its VPC's door if any."""
    endpoint = _endpoint_of((config.get("VpcConfig") or {}).get("VpcId"))
    door = f"/_vpce/{endpoint}" if endpoint else ""
    local = rf"{os.environ['AWS_ENDPOINT_URL']}{door}/restapis/\1/\2/_user_request_"
    return {name: _HOST.sub(local, value) for name, value in variables.items()}


def _endpoint_of(vpc: str | None) -> str | None:
    for endpoint in private.ec2.vpc_endpoints.values() if vpc else ():
        # The API's default, not CloudFormation's.
        resolving = str(endpoint.get("PrivateDnsEnabled", True)).lower() == "true"
        if resolving and endpoint["VpcId"] == vpc and endpoint["ServiceName"].endswith(".execute-api"):
            return str(endpoint["VpcEndpointId"])
    return None


def _through_the_door(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Take the door off the path that is routed; the path that was signed (`raw_path`) keeps it."""

    async def serve(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        _endpoint.set("")
        if scope["type"] == "http" and (endpoint_path := _DOOR.fullmatch(scope["path"])):
            _endpoint.set(endpoint_path[1])
            scope = {**scope, "path": endpoint_path[2]}
        await stock(scope, receive, send)

    return serve


def _with_source_vpce(stock: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(service: str, action: str, *rest: Any, **options: Any) -> Any:
        if action.startswith("execute-api:"):
            options["service_context"] = {**(options.get("service_context") or {}), **_origin()}
        return stock(service, action, *rest, **options)

    return enforce


def _origin() -> dict[str, str]:
    for (
        _account,
        _region,
        name,
    ), endpoint in private.ec2.vpc_endpoints.all_items():  # an unsigned request names no account
        if name == _endpoint.get(""):
            return {"aws:SourceVpce": name, "aws:SourceVpc": endpoint["VpcId"]}
    return {}


def _only_through_an_endpoint(stock: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(api_id: str, *rest: Any, **options: Any) -> Any:
        if _is_private(api_id) and not _origin():
            return 403, dict(_FORBIDDEN), json.dumps({"message": "Forbidden"}).encode()
        return stock(api_id, *rest, **options)

    return enforce


def _is_private(api_id: str) -> bool:
    for (
        _account,
        _region,
        name,
    ), api in private.apigateway_v1.rest_apis.all_items():  # unsigned: of no account
        if name == api_id:
            return "PRIVATE" in (api.get("endpointConfiguration") or {}).get("types", [])
    return False
