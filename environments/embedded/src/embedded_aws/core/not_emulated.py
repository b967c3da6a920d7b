"""A service that nobody answers for says so, in the words and the protocol of the client that asks."""

import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack import app
from ministack.core.router import detect_service

_CODE = "NotEmulatedException"


def install() -> None:
    """Stand before MiniStack's dispatch, whose refusal no SDK can read."""
    app._dispatch_service_request = _refusing(app._dispatch_service_request)


def _refusing(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Any, *rest: Any
    ) -> Any:
        service = detect_service(method, path, headers, query)
        if service in app.SERVICE_HANDLERS or service == "unknown_query":
            return await stock(method, path, headers, body, query, *rest)
        return refusal(service, headers.get("content-type", ""))

    return dispatch


def refusal(service: str, content_type: str) -> tuple[int, dict[str, str], bytes]:
    """Return the error response: XML for clients of the query protocol, JSON for all others."""
    message = (
        f"{service} is not emulated here. The embedded AWS emulates what this project uses and nothing more."
    )
    if content_type.startswith("application/x-www-form-urlencoded"):
        inner = f"<Error><Type>Sender</Type><Code>{_CODE}</Code><Message>{escape(message)}</Message></Error>"
        return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": _CODE}
    return 400, headers, json.dumps({"__type": _CODE, "message": message}).encode()
