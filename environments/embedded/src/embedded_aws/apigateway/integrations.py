"""What API Gateway needs to call a function: its permission, and POST. MiniStack calls it anyway.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html: the
integration's method is POST, whatever the API's is. https://docs.aws.amazon.com/lambda/latest/dg/
services-apigateway.html: the function's policy names API Gateway, and the API in aws:SourceArn. Without
either, a caller gets a server error, and the API's own log says why.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator

from embedded_aws.core import ministack_names as private

_SERVICE = "apigateway.amazonaws.com"
_REFUSED = (
    500,
    {"Content-Type": "application/json"},
    json.dumps({"message": "Internal server error"}).encode(),
)


def install() -> None:
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
