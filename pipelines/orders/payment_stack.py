"""A deployed payments stack and its data API, for the commands that place orders and look after money."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from payment_data.client import DataApi, Response
from payment_data.errors import OutcomeUnknown
from pipelines.aws import stacks
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import patiently

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws


@dataclass(frozen=True, slots=True)
class PaymentStack:
    """A deployed payments stack.

    Attributes:
        aws: Where it is.
        name: Its name.
        api: Its data API.
        workflow: The ARN of the payment state machine.
        live: The ARN of the alias that new orders run through.
        smoke: The ARN of the smoke state machine.
    """

    aws: Aws
    name: str
    api: DataApi
    workflow: str
    live: str
    smoke: str


def connect(aws: Aws, name: str) -> PaymentStack:
    """Return a payments stack by its name.

    Raises:
        Refused: There is no such stack.
    """
    outputs = stacks.outputs(aws, name)
    return PaymentStack(
        aws,
        name,
        invoked_data_api(aws, outputs["DataApiFunctionName"]),
        outputs["PaymentWorkflowArn"],
        outputs["PaymentWorkflowAliasArn"],
        outputs["SmokeWorkflowArn"],
    )


def invoked_data_api(aws: Aws, function: str) -> DataApi:
    """Return the data API of a stack, called by invoking its function: the API itself is private to the VPC.

    Args:
        aws: Where the stack is.
        function: The output `DataApiFunctionName` of the stack.
    """

    def invoke(method: str, path: str, body: bytes | None = None) -> Response:
        event = json.dumps(proxy_event(method, path, body)).encode()
        answer = aws.functions.invoke(FunctionName=function, Payload=event)
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OutcomeUnknown(f"{method} {path}: the data API's function failed: {_reason(payload)}")
        text: str = payload.get("body") or ""
        content = base64.b64decode(text) if payload.get("isBase64Encoded") else text.encode()
        return Response(payload["statusCode"], content)

    return DataApi(invoke)


def proxy_event(method: str, path: str, body: bytes | None) -> dict[str, object]:
    """Return the event that API Gateway would send: {path, httpMethod, headers, body, …}.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    path, _, query = path.partition("?")
    return {
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} if body else {},
        "multiValueHeaders": {"Content-Type": ["application/json"]} if body else {},
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": unquote(path).lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": f"/live{path}",
            "stage": "live",
        },
        "body": body.decode() if body else None,
        "isBase64Encoded": False,
    }


def _reason(payload: object) -> str:
    return str(payload.get("errorMessage")) if isinstance(payload, dict) else str(payload)


_COUNTS: Final = ("opened", "entered", "settled", "disputed")


def settle(api: DataApi, reporter: Reporter = NOBODY, *, limit: int = 100) -> dict[str, int]:
    """Enter into the ledger and settle everything that is due.

    Args:
        api: The data API of the stack.
        reporter: Shows the counts after each page.
        limit: How many orders of a kind in a page.

    Returns:
        How many were {opened, entered, settled, disputed}.
    """
    done, after = dict.fromkeys(_COUNTS, 0), ""
    while True:
        step = patiently(partial(_step, api, after), limit)
        done = {key: count + step[key] for key, count in done.items()}
        reporter.passing(", ".join(f"{count} {key}" for key, count in done.items()))
        if "next" not in step:
            return done
        after = step["next"]


def _step(api: DataApi, after: str, limit: int) -> dict[str, Any]:
    return api.settle(limit=limit, after=after)
