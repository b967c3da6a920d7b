"""The routes on Powertools' resolver: a request in, an answer or a problem document (RFC 9457) out."""

import json
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pymongo
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import Logger
from pymongo.errors import PyMongoError

from data_api.http import requests
from data_api.http.routes import IDS, ROUTES, Route
from data_api.schemas.views import Answer
from data_api.storage import connection
from payment_data.errors import (
    ApiUnavailable,
    FieldError,
    InvalidRequest,
    Kind,
    MethodNotAllowed,
    NotFound,
    OutcomeUnknown,
    Problem,
)

app = APIGatewayRestResolver()
logger = Logger()  # service and level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL

_LOGGED = ("order_id",)  # a user's id is nobody's business in a log
_INTERNAL = {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Return a JSON answer, or an empty one."""
    text = "" if body is None else json.dumps(body, separators=(",", ":"))
    kind = "application/problem+json" if status >= HTTPStatus.BAD_REQUEST else "application/json"
    return Response(
        status_code=status,
        content_type=None if body is None else kind,
        body=text,
        headers=dict(headers or {}),
    )


def problem(refusal: Problem, path: str) -> Response[str]:
    """Log a problem and return it as an answer. What is no mistake of ours or a caller's is no error."""
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
    if connection.may_have_written():
        return OutcomeUnknown(f"the connection to the database was lost after a write was sent ({name})")
    return ApiUnavailable(f"the database cannot be reached ({name})")


def _endpoint(route: Route) -> Callable[..., Response[str]]:
    def endpoint(**ids: str) -> Response[str]:
        if not ids and app.current_event.path.endswith("/"):
            raise NotFoundError  # an empty id, which the resolver takes for the collection
        requests.check_ids({name: IDS[name] for name in ids}, ids)
        logger.append_keys(**{name: ids[name] for name in _LOGGED if name in ids})
        query = [] if route.query is None else [requests.read_query(app.current_event.raw_event, route.query)]
        body = [] if route.body is None else [requests.read_body(app.current_event.raw_event, route.body)]
        if body and "execution" in body[0]:
            logger.append_keys(execution=body[0]["execution"])
        began = time.perf_counter()
        connection.begin_request()
        with pymongo.timeout(connection.REQUEST_SECONDS):
            result = _answered(route, *ids.values(), *query, *body)
        took = round((time.perf_counter() - began) * 1000, 1)
        logger.info("answered", route=f"{route.method} {route.path}", status=result.status, milliseconds=took)
        return answer(result.status, result.body)

    return endpoint


def _answered(route: Route, *arguments: Any) -> Answer:
    """Run the route; once more where the login failed and the secret may have been rotated."""
    try:
        return route.run(connection.database(), *arguments)
    except PyMongoError as error:
        if not connection.renew(error):
            raise
        logger.warning("login refused: reading the secret again")
        return route.run(connection.database(), *arguments)


def _anything(path: str) -> re.Pattern[str]:
    """Match the path with whatever stands for its ids."""
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]*)", path) + "/*")


def _id_errors(match: re.Match[str]) -> list[FieldError]:
    return [error for name, value in match.groupdict().items() for error in IDS[name].check(value, name)]


def _refused(refusal: Problem) -> Response[str]:
    return problem(refusal, app.current_event.path)


def _database_failed(error: PyMongoError) -> Response[str]:
    # Not its message: a refused write quotes the document, which holds personal data.
    logger.error("database failed", error=type(error).__name__, code=getattr(error, "code", None))
    return problem(database_problem(error), app.current_event.path)


def _broke(error: Exception) -> Response[str]:
    logger.exception("unexpected", error=type(error).__name__)
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL)


def _not_found(_: NotFoundError) -> Response[str]:
    """Tell apart an unknown path, a method it does not have, and an id so odd that the resolver missed it."""
    path, method = app.current_event.path, app.current_event.http_method
    matches: dict[str, re.Match[str]] = {}
    for route in ROUTES:
        if match := _anything(route.path).fullmatch(path):
            matches.setdefault(route.method, match)
    if not matches:
        return problem(NotFound("there is nothing at this path"), path)
    if method in matches:
        return problem(InvalidRequest("the path holds no valid id", _id_errors(matches[method])), path)
    allowed = sorted(matches)
    refused = problem(MethodNotAllowed(f"the method must be {', '.join(allowed)}"), path)
    refused.headers["Allow"] = ", ".join(allowed)  # RFC 9110, section 15.5.6
    return refused


for _route in ROUTES:
    _rule = _route.path.replace("{", "<").replace("}", ">")
    app.route(_rule, method=_route.method)(_endpoint(_route))
app.exception_handler(Problem)(_refused)
app.exception_handler(PyMongoError)(_database_failed)
app.exception_handler(Exception)(_broke)
app.not_found(_not_found)
