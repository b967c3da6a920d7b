"""From an event to its route and back: a request in, an answer or a problem document (RFC 9457) out.

The routes are found here and not by Powertools' resolver, which takes a twentieth of an order's processor
time, and keeps the current event where two threads cannot each have one.
"""

import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import pymongo
from aws_lambda_powertools.logging import Logger
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from data_api.domain.requests import Document
from data_api.http import requests
from data_api.http.routes import IDS, ROUTES, Route
from data_api.schemas.views import Answer
from data_api.storage import connection, database
from payment_data.errors import (
    ApiUnavailable,
    InvalidRequest,
    Kind,
    MethodNotAllowed,
    NotFound,
    OutcomeUnknown,
    Problem,
)

logger = Logger()  # service and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL

_json = json.JSONEncoder(separators=(",", ":")).encode
_LOGGED = ("order_id",)  # a user's id is nobody's business in a log
_INTERNAL = {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def _path(route: Route, identifier: str) -> re.Pattern[str]:
    """Return what matches the route's path, with any number of slashes behind it."""
    return re.compile(re.sub(r"\{(\w+)\}", rf"(?P<\1>{identifier})", route.path) + "/*")


_BY_METHOD: Final = {
    method: [(_path(route, "[^/]+"), route) for route in ROUTES if route.method == method]
    for method in {route.method for route in ROUTES}
}
_EVEN_WITHOUT_IDS: Final = [(_path(route, "[^/]*"), route) for route in ROUTES]


def resolve(event: Mapping[str, Any]) -> Document:
    """Answer an API Gateway proxy event, whatever happens, as `answer` does."""
    path = event["path"]
    try:
        return _routed(event, event["httpMethod"].upper(), path)
    except Problem as refusal:
        return problem(refusal, path)
    except PyMongoError as error:
        # Not its message: a refused write quotes the document, which holds personal data.
        logger.error("database failed", error=type(error).__name__, code=getattr(error, "code", None))  # noqa: TRY400 - its traceback would quote it
        return problem(database_problem(error), path)
    except Exception as error:
        logger.exception("unexpected", error=type(error).__name__)
        return answer(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL)


def answer(status: int, body: Document | None) -> Document:
    """Return {statusCode, multiValueHeaders, body, isBase64Encoded}: a JSON answer, or an empty one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    kind = "application/problem+json" if status >= HTTPStatus.BAD_REQUEST else "application/json"
    return {
        "statusCode": int(status),
        "multiValueHeaders": {} if body is None else {"Content-Type": [kind]},
        "body": "" if body is None else _json(body),
        "isBase64Encoded": False,
    }


def problem(refusal: Problem, path: str) -> Document:
    """Log a problem and return its `answer`. What is no mistake of ours or a caller's is no error."""
    level = logger.info if refusal.kind is Kind.BUSINESS else logger.warning
    level("refused", error=type(refusal).__name__, kind=refusal.kind.value, detail=str(refusal), path=path)
    # A URI reference (RFC 9457, section 3.1.5), while API Gateway hands over the path decoded.
    return answer(refusal.status, refusal.document(quote(path, errors="replace")))


def database_problem(error: PyMongoError) -> Problem:
    """Return what a failure of MongoDB means to the caller: nothing was done, or nobody can tell.

    A request that has sent no write has done nothing, whatever happened to its reads. The error's own message
    stays out: it names hosts and may quote documents.
    """
    name = type(error).__name__
    if database.may_have_written():
        return OutcomeUnknown(f"the connection to the database was lost after a write was sent ({name})")
    return ApiUnavailable(f"the database cannot be reached ({name})")


def _routed(event: Mapping[str, Any], method: str, path: str) -> Document:
    for pattern, route in _BY_METHOD.get(method, ()):
        if (match := pattern.fullmatch(path)) and (match.lastindex or not path.endswith("/")):
            return _run(route, match.groupdict(), event)
    return _nowhere(method, path)


def _run(route: Route, ids: Mapping[str, str], event: Mapping[str, Any]) -> Document:
    requests.check_ids({name: IDS[name] for name in ids}, ids)
    logger.append_keys(**{name: ids[name] for name in _LOGGED if name in ids})
    query = [] if route.query is None else [requests.read_query(event, route.query)]
    body = [] if route.body is None else [requests.read_body(event, route.body)]
    if body and "execution" in body[0]:
        logger.append_keys(execution=body[0]["execution"])
    began = time.perf_counter()
    database.begin_request()
    with pymongo.timeout(connection.REQUEST_SECONDS):
        result = _answered(route, *ids.values(), *query, *body)
    took = round((time.perf_counter() - began) * 1000, 1)
    logger.info("answered", route=f"{route.method} {route.path}", status=result.status, milliseconds=took)
    return answer(result.status, result.body)


def _answered(route: Route, *arguments: Any) -> Answer:
    """Run the route; once more where the connection was lost, or the login failed with a rotated secret.

    Repeating is safe: every use case finds what it, or a write of it that lands late, has done before.
    """
    try:
        return route.run(connection.database(), *arguments)
    except PyMongoError as error:
        renewed = connection.renew(error)
        if not renewed and not _connection_lost(error):
            raise
        logger.warning("asking the database again", error=type(error).__name__, secret_read_again=renewed)
        return route.run(connection.database(), *arguments)


def _connection_lost(error: PyMongoError) -> bool:
    """Say whether the server hung up or is no longer primary, with time left to ask the next one."""
    out_of_time = isinstance(error, NetworkTimeout | ServerSelectionTimeoutError)
    return isinstance(error, AutoReconnect) and not out_of_time


def _nowhere(method: str, path: str) -> Document:
    """Tell apart an unknown path, a method it does not have, and an id that is missing."""
    matches: dict[str, re.Match[str]] = {}
    for pattern, route in _EVEN_WITHOUT_IDS:
        if match := pattern.fullmatch(path):
            matches.setdefault(route.method, match)
    if not matches:
        return problem(NotFound("there is nothing at this path"), path)
    if match := matches.get(method):
        errors = [
            error for name, value in match.groupdict().items() for error in IDS[name].check(value, name)
        ]
        return problem(InvalidRequest("the path holds no valid id", errors), path)
    allowed = ", ".join(sorted(matches))
    refused = problem(MethodNotAllowed(f"the method must be {allowed}"), path)
    refused["multiValueHeaders"]["Allow"] = [allowed]  # RFC 9110, section 15.5.6
    return refused
