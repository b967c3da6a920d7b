"""MiniStack as a whole: services of ours registered with it, its own services called, its state written down.

A service that nobody answers for is refused in the words and the protocol of the client that asks. MiniStack
writes its state only when it is stopped; an action that is said to be done must not be undone by a `kill -9`.
"""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from ministack import app as ministack
from ministack.core import iam_actions, persistence, router

from embedded_aws.core import api_model, runtime
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import Json
from embedded_aws.core.service import Service

_MODULE = "embedded_aws"
_REFUSAL = "NotEmulatedException"
_loops: list[asyncio.AbstractEventLoop] = []


def event_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop in which requests are answered, once one was."""
    return _loops[0] if _loops else None


def register(*services: Service) -> None:
    """Let MiniStack route requests of these services to us."""
    module = ModuleType(_MODULE)
    module.reset = _reset  # type: ignore[attr-defined]  # which MiniStack asks of each module of a service
    sys.modules[f"ministack.services.{_MODULE}"] = module
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


_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 30
_lock = threading.Lock()


def write_state() -> None:
    """Write the state, when this instance keeps it."""
    root = Path(os.environ["STATE_DIR"]).parent
    loop = event_loop()
    if loop is None or not (root / "keep").exists():
        return

    async def write() -> None:  # in the loop, where states are whole between two steps
        persistence.save_all(private.app.build_persistence_save_dict())  # as at MiniStack's own shutdown

    with _lock:
        try:
            asyncio.run_coroutine_threadsafe(write(), loop).result(_TIMEOUT_SECONDS)
        except TimeoutError:
            _log.warning("the state was not written within %s seconds", _TIMEOUT_SECONDS)
        _keep_ports(root)


def _keep_ports(root: Path) -> None:
    """Say, as a stop does, that there is something to take up again, and where it listened."""
    if (root / "kept.json").exists():
        return
    record = json.loads((root / "state.json").read_text())
    ports = {"port": urlsplit(record["endpoint"]).port, "mongodb_port": urlsplit(record["mongodb_uri"]).port}
    scratch = root / "kept.json.new"
    scratch.write_text(json.dumps({name: port for name, port in ports.items() if port}))
    scratch.replace(root / "kept.json")


_REFUSED = 400


def call_service(service: Any, target: str, request: Json) -> Json:
    """Make a call in a thread that runs no event loop, and return the answer of `target`.

    Args:
        service: the module that answers for the service.
        target: the call's name, as `X-Amz-Target` says it.
        request: its parameters.

    Raises:
        ValueError: it is refused; the message is the service's.
    """
    return asyncio.run(call_service_soon(service, target, request))


async def call_service_soon(service: Any, target: str, request: Json) -> Json:
    """Make a call from the event loop; as `call_service`.

    Raises:
        ValueError: it is refused; the message is the service's.
    """
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
    status, _, body = await service.handle_request("POST", "/", headers, json.dumps(request).encode(), {})
    answer: Json = json.loads(body or b"{}")
    if status >= _REFUSED:
        message = answer.get("message") or answer.get("Message")
        raise ValueError(f'Resource handler returned message: "{message}" ({answer.get("__type")})')
    return answer
