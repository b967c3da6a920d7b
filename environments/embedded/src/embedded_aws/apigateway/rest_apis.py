"""REST APIs as stacks make them, how they call functions, and their access logs; MiniStack is lax in each.

A REST API keeps its endpoint type, which MiniStack stores under names that nothing reads: a private API would
be answered to anyone otherwise. A stage keeps its `AccessLogSetting`, and a line is written for each request
in its format; `$context.…` that nothing here knows is `-`, as on AWS where a variable has no value.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html

To call a function, the integration's method is POST, whatever the API's is, and the function's policy names
API Gateway, and the API in aws:SourceArn. Without either, a caller gets a server error, and the API's own log
says why. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
"""

import contextlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import new_uuid, request_scope
from ministack.services import apigateway_v1, cloudwatch_logs

from embedded_aws.core import ministack_names as private
from embedded_aws.core import registration, type_table

_SPELLING = {"Types": "types", "VpcEndpointIds": "vpcEndpointIds", "IpAddressType": "ipAddressType"}


def install() -> None:
    """Wrap MiniStack's handlers of the two types, its calls of functions, and its answers to requests."""
    api, stage = (type_table.stock_handlers(f"AWS::ApiGateway::{kind}") for kind in ("RestApi", "Stage"))
    create, update = stage["create"], stage["update"]
    stage["create"] = lambda name, properties, stack: _logging(properties, create(name, properties, stack))
    stage["update"] = lambda physical, old, new, stack: _logging(new, update(physical, old, new, stack))
    for operation in ("create", "update"):
        api[operation] = _with_endpoint_type(api[operation])
    _install_integrations()
    _install_access_logs()


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


_SERVICE = "apigateway.amazonaws.com"
_REFUSED = (
    500,
    {"Content-Type": "application/json"},
    json.dumps({"message": "Internal server error"}).encode(),
)


def _install_integrations() -> None:
    """Ask before a function is called."""
    private.apigateway_v1.invoke_lambda_proxy_v1 = _asking(private.apigateway_v1.invoke_lambda_proxy_v1)


def _asking(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def invoke(integration: Any, api_id: str, stage: str, *rest: Any, **options: Any) -> Any:
        account, region = options["owner_account_id"], options["owner_region"]
        path, method = rest[2:4]
        source = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{method}{path}"
        function = integration.get("uri", "").partition("/functions/")[2].removesuffix("/invocations")
        if integration.get("httpMethod") != "POST" or not _allowed(function, source, account, region):
            return _REFUSED
        return await stock(integration, api_id, stage, *rest, **options)

    return invoke


def _allowed(function: str, source: str, account: str, region: str) -> bool:
    name = function.partition(":function:")[2].partition(":")[0]  # an alias's statements are its function's
    record = private.lambda_svc.functions.get_scoped(account, region, name)
    if record is None:
        return True  # that there is no such function, the call itself says
    context = iam_evaluator.EvalContext(
        principal_arn=_SERVICE,
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=region,
        service_context={"aws:sourcearn": source, "aws:sourceaccount": account},
    )
    decided = iam_evaluator.evaluate_resource_policy(record.get("policy"), context, service=_SERVICE).decision
    return bool(decided == "Allow")


_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
_STREAM = "access"


def _install_access_logs() -> None:
    """Write a line after each request."""
    apigateway_v1.handle_execute = _logged(apigateway_v1.handle_execute)


def formatted(form: str, values: dict[str, str]) -> str:
    """Return the stage's format with its variables filled in."""
    return _VARIABLE.sub(lambda variable: values.get(variable[1], "-"), form)


def _logged(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(api_id: str, stage: str, method: str, path: str, *rest: Any) -> Any:
        began = time.time()
        answer = await stock(api_id, stage, method, path, *rest)
        if scope := apigateway_v1.find_api_scope(api_id):
            values = {"httpMethod": method, "path": path, "status": str(answer[0])}
            with request_scope(*scope):
                await _write(api_id, stage, values, began)
        return answer

    return handle


async def _write(api_id: str, stage_name: str, values: dict[str, str], began: float) -> None:
    stage = private.apigateway_v1.stages_v1.get(api_id, {}).get(stage_name) or {}
    setting = stage.get("accessLogSettings") or {}
    name = str(setting.get("destinationArn") or "").partition(":log-group:")[2]
    if not name:
        return
    now = int(time.time() * 1000)
    values |= {
        "requestId": new_uuid(),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(began)),
        "responseLatency": str(now - int(began * 1000)),
    }
    stream = {"logGroupName": name, "logStreamName": _STREAM}
    event = {"timestamp": now, "message": formatted(setting["format"], values)}
    with contextlib.suppress(ValueError):  # there is one, or the group is gone
        await registration.call_service_soon(cloudwatch_logs, "Logs_20140328.CreateLogStream", stream)
    with contextlib.suppress(ValueError):
        await registration.call_service_soon(
            cloudwatch_logs, "Logs_20140328.PutLogEvents", {**stream, "logEvents": [event]}
        )
