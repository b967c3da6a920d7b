"""Registers services of ours with MiniStack, and refuses a service that nobody answers for.

The refusal is in the words and the protocol of the client that asks.
"""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import escape

from ministack import app as ministack
from ministack.core import iam_actions, router

from embedded_aws.core import api_model, runtime
from embedded_aws.core import ministack_names as private
from embedded_aws.core.service import Service

_MODULE = "embedded_aws"
_REFUSAL = "NotEmulatedException"
_loops: list[asyncio.AbstractEventLoop] = []


def event_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop in which requests are answered, once one was."""
    return _loops[0] if _loops else None


def register(*services: Service) -> None:
    """Let MiniStack route requests of these services to us."""
    private.app.loaded_modules[_MODULE] = SimpleNamespace(reset=_reset)
    for service in services:
        _register(service)


def _register(service: Service) -> None:
    metadata = api_model.service_model(service.name).metadata
    ministack.SERVICE_REGISTRY[service.name] = {"module": _MODULE}
    ministack.SERVICE_HANDLERS[service.name] = service.handle_request
    router.SERVICE_PATTERNS[service.name] = {
        "host_patterns": [rf"{metadata['endpointPrefix']}\."],
        "credential_scope": metadata.get("signingName", metadata["endpointPrefix"]),
        **({"target_prefixes": [metadata["targetPrefix"]]} if "targetPrefix" in metadata else {}),
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[service.name] = service.name
    if metadata["protocol"] != "json":  # MiniStack finds a REST request's operation in the service's model
        private.iam_actions.BOTOCORE_SERVICE_MAP[service.name] = [service.name]


def _reset() -> None:
    runtime.current().store.clear()


def install() -> None:
    """Stand before MiniStack's dispatch, whose refusal no SDK can read."""
    private.app.dispatch_service_request = _refusing(private.app.dispatch_service_request)


def _refusing(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Any, *rest: Any
    ) -> Any:
        if not _loops:
            _loops.append(asyncio.get_running_loop())
        service = router.detect_service(method, path, headers, query)
        if service in ministack.SERVICE_HANDLERS or service == "unknown_query":
            return await stock(method, path, headers, body, query, *rest)
        return refusal(service, headers.get("content-type", ""))

    return dispatch


def refusal(service: str, content_type: str) -> tuple[int, dict[str, str], bytes]:
    """Return the error response: XML for clients of the query protocol, JSON for all others."""
    message = f"{service} is not emulated here: the embedded AWS runs what promotions by CodePipeline use."
    if content_type.startswith("application/x-www-form-urlencoded"):
        inner = (
            f"<Error><Type>Sender</Type><Code>{_REFUSAL}</Code><Message>{escape(message)}</Message></Error>"
        )
        return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": _REFUSAL}
    return 400, headers, json.dumps({"__type": _REFUSAL, "message": message}).encode()
