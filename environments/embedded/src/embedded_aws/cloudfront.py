"""A door to CloudFront's distributions: `/_cloudfront/<id>/<path>` leads to that one's own origin.

On AWS each distribution answers by a name of its own, so that a page of one can neither read nor script a
page of another. Here each has a port of its own, which is opened when a viewer first asks for it; browsers
tell origins apart by it.

MiniStack serves viewers by the host that they ask for, of a distribution of the default account. Ours is the
tools account's, and its host leads to AWS. What comes to such a port counts as having come by TLS, so that
redirect-to-https does not send it away and the bucket's policy lets it in.
"""

import asyncio
import socket
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import hypercorn.asyncio
import hypercorn.config
from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region, request_scope
from ministack.services import cloudfront

from embedded_aws.core import ministack_names as private
from embedded_aws.server_process import LOOPBACK

DOOR = "/_cloudfront/"
"""A path of the endpoint; a distribution's id and the viewer's path follow."""
_Scope = MutableMapping[str, Any]
_Response = tuple[int, dict[str, str], bytes]
_ports: dict[str, int] = {}
"""The port of each distribution's own origin, by its id."""
_serving: set[asyncio.Task[None]] = set()


def install() -> None:
    """Stand before MiniStack's application."""
    app.app = _with_a_door(app.app)


def _with_a_door(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def serve(scope: _Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DOOR):
            await stock(scope, receive, send)
            return
        await _send(scope, send, _to_its_origin(scope))

    return serve


def _to_its_origin(scope: _Scope) -> _Response:
    """Send a viewer to the origin of a distribution, which is opened if it is not yet."""
    identifier, _, _ = scope["path"].removeprefix(DOOR).partition("/")
    if _found(identifier) is None:
        return 404, {"Content-Type": "text/plain"}, f"There is no distribution {identifier}.\n".encode()
    if identifier not in _ports:
        _ports[identifier] = _open(identifier)
    path = scope["raw_path"].decode().removeprefix(f"{DOOR}{identifier}").lstrip("/")
    query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
    return 307, {"Location": f"http://{LOOPBACK}:{_ports[identifier]}/{path}{query}"}, b""


def _open(identifier: str) -> int:
    """Listen on a free port for the viewers of a distribution, and return the port."""
    listener = socket.socket()
    listener.bind((LOOPBACK, 0))
    listener.listen()
    port: int = listener.getsockname()[1]

    async def serve(scope: _Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await _send(scope, send, await _answer(scope, identifier))
            return
        while scope["type"] == "lifespan":
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    never = asyncio.Event()  # it ends with the event loop
    task = asyncio.get_running_loop().create_task(
        hypercorn.asyncio.serve(serve, config, shutdown_trigger=never.wait)
    )
    _serving.add(task)  # the loop itself holds tasks weakly
    task.add_done_callback(_serving.discard)
    return port


async def _send(scope: _Scope, send: Any, answer: _Response) -> None:
    status, headers, body = answer
    encoded = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _found(identifier: str) -> tuple[str, Any] | None:
    """Return the account of a distribution, and the distribution."""
    for (account, name), distribution in private.cloudfront.distributions.to_dict().items():
        if name == identifier:
            return account, distribution
    return None


async def _answer(scope: _Scope, identifier: str) -> _Response:
    found = _found(identifier)
    if found is None:  # deleted since its port was opened
        return 404, {"Content-Type": "text/plain"}, f"There is no distribution {identifier}.\n".encode()
    account, distribution = found
    path, query = scope["path"], scope["query_string"].decode()
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    iam_evaluator.pin_request_origin(LOOPBACK, secure_transport=True)
    with request_scope(account, get_region()):
        answered: _Response = await cloudfront.handle_viewer_request(
            distribution,
            scope["method"],
            path,
            path,
            query,
            {**headers, "x-forwarded-proto": "https"},
            b"",
            parse_qs(query),
        )
    return answered
