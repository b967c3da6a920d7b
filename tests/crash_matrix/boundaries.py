"""What stands between the parts when they run in one process: Lambda, API Gateway and the network.

Nothing of ours is replaced: handlers, client, signing, routes and storage run as they ship.
"""

import importlib.util
import json
import os
import traceback
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from templates.definitions import payment_workflow
from tests.crash_matrix import lanes
from tests.crash_matrix.executor import TaskFailed

DATA_API_URL = "https://data-api.invalid/live"
STRIPE_URL = "https://stripe.invalid"
SECRETS_URL = "https://secretsmanager."
STEPS = tuple(payment_workflow.SUBSTITUTIONS)
Handler = Callable[[Any, Any], Any]


class Died(BaseException):
    """The process of this handler ended in the middle, which no `except Exception` of it can catch."""


def environment(payment_method: str) -> dict[str, str]:
    """Return the environment variables of every function."""
    return {
        "DATA_API_URL": DATA_API_URL,
        "PAYMENT_METHOD": payment_method,
        "STRIPE_API_BASE": STRIPE_URL,
        "STRIPE_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:stripe",
        "POWERTOOLS_SERVICE_NAME": "crash-matrix",
        "POWERTOOLS_DEV": "false",
        "LOG_LEVEL": "CRITICAL",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "none",
        "MONGODB_URI": "mongodb://crash-matrix.invalid",
        "MONGODB_DATABASE": "crash-matrix",
    }


def load_handlers(payment_method: str) -> dict[str, Handler]:
    """Start every step function anew with its environment, as a cold start does."""
    with mock.patch.dict(os.environ, environment(payment_method)):
        return {name: _fresh(f"{name}.handler").handler for name in STEPS}


def _fresh(name: str) -> Any:
    """Run a module that only this process's crash matrix sees: others may have imported it differently."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, name
    assert spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_sandbox(handler: Handler, event: Any, *, freezable: bool) -> Any:
    """Run a step's handler; its errors get the names that Step Functions sees.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    context = SimpleNamespace(aws_request_id="request", function_name="step")

    def run() -> Any:
        return json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))

    try:
        return lanes.run(run, freezable=freezable)
    except lanes.Frozen:
        raise TaskFailed("States.Timeout") from None
    except Died:
        raise TaskFailed("Runtime.ExitError", "the sandbox ended") from None
    except Exception as error:
        raise TaskFailed(type(error).__name__, json.dumps(_cause(error))) from error


def _cause(error: Exception) -> dict[str, Any]:
    """Shape an error as Lambda returns it, https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": "request",
        "stackTrace": traceback.format_tb(error.__traceback__, limit=-1),
    }


def proxy_event(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """Shape a request as API Gateway hands it to the data API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    path = urlsplit(url).path.removeprefix("/live")
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {"stage": "live", "path": f"/live{path}", "httpMethod": method, "requestId": "r"},
        "body": None if body is None else body.decode(),
        "isBase64Encoded": False,
    }
