"""A door to CloudFront's distributions: `/_cloudfront/<id>/<path>` is what a viewer of that one gets.

MiniStack serves viewers by the host that they ask for, of a distribution of the default account. Ours is the
tools account's, and its host leads to AWS. What comes through the door counts as having come by TLS, so that
redirect-to-https does not send it away and the bucket's policy lets it in.

Private names of MiniStack that it touches: `app.app`, `cloudfront._distributions`.
"""

from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region, request_scope
from ministack.services import cloudfront

from embedded_aws.process_record import LOOPBACK

DOOR = "/_cloudfront/"
"""A path of the endpoint; a distribution's id and the viewer's path follow."""
_Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Stand before MiniStack's application."""
    app.app = _with_a_door(app.app)


def _with_a_door(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def serve(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DOOR):
            await stock(scope, receive, send)
            return
        status, headers, body = await _answer(scope)
        encoded = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return serve


async def _answer(scope: MutableMapping[str, Any]) -> _Response:
    identifier, slash, path = scope["path"].removeprefix(DOOR).partition("/")
    if not slash:  # relative links of the root page need it
        return 301, {"Location": f"{DOOR}{identifier}/"}, b""
    query = scope["query_string"].decode()
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    for (account, name), distribution in list(cloudfront._distributions._data.items()):
        if name == identifier:
            iam_evaluator.pin_request_origin(LOOPBACK, secure_transport=True)
            with request_scope(account, get_region()):
                answered: _Response = await cloudfront.handle_viewer_request(
                    distribution,
                    scope["method"],
                    f"/{path}",
                    f"/{path}",
                    query,
                    {**headers, "x-forwarded-proto": "https"},
                    b"",
                    parse_qs(query),
                )
            return answered
    return 404, {"Content-Type": "text/plain"}, f"There is no distribution {identifier}.\n".encode()
