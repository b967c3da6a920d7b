"""Lambda handler of the data API."""

import gc
import os
from typing import Any

gc.disable()  # What is imported stays: looking through it for garbage would take a tenth of a cold start.

from pymongo.errors import PyMongoError  # noqa: E402 - see gc.disable

from data_api.http.app import answer, logger, resolve  # noqa: E402 - see gc.disable
from data_api.storage import connection  # noqa: E402 - see gc.disable
from payment_data.errors import MalformedRequest, Problem  # noqa: E402 - see gc.disable
from payment_data.metrics import invocation  # noqa: E402 - see gc.disable


def _connect() -> None:
    """Connect to the database, or leave it to the first request."""
    try:
        connection.database()
    except (PyMongoError, Problem) as error:
        logger.warning("not connected at the start", error=type(error).__name__)


# Lambda makes the sandbox: logging in by IAM imports boto3, for which no request has the time.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _connect()

gc.freeze()  # Nor is it looked through later (https://docs.python.org/3/library/gc.html#gc.freeze).
gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event, from API Gateway or from whoever may invoke the function.

    The answer is as `answer` makes it.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    logger.structure_logs(**invocation(context), api_request_id=_api_request_id(event))  # and no older keys
    if not _is_proxy_event(event):
        refused = MalformedRequest("the event must be an API Gateway proxy event: httpMethod and path")
        return answer(refused.status, refused.document("/"))
    return resolve(event)


def _api_request_id(event: object) -> object:
    """Return the request's id in the access log of the API."""
    about = event.get("requestContext") if isinstance(event, dict) else None
    return about.get("requestId") if isinstance(about, dict) else None


def _is_proxy_event(event: object) -> bool:
    return isinstance(event, dict) and all(isinstance(event.get(key), str) for key in ("httpMethod", "path"))
