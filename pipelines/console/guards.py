"""Keeps others out: only our own pages may call the console, only by this machine's name, only with its key.

A web site that the developer visits can send requests to 127.0.0.1, and can make its own name resolve there
(DNS rebinding). So the host must be ours; a form must come from our own origin and hold a token that only our
pages show; and where the caller's own AWS credentials are used, every page asks for the key of the link that
was printed when the console started.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "payments-console"
_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_LONGEST_FORM: Final = 20_000
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What this run of the console knows and no other web site does.

    Attributes:
        entry: What the printed link holds; empty where none is asked for, as on the embedded AWS.
        form: What every form of ours holds.
    """

    entry: str = field(default="", repr=False)
    form: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


class Guard:
    """Refuses requests that do not come from our own pages, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or let the application answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from starlette.requests import Request  # noqa: PLC0415 - the class itself, for this one request

        refusal = self._refusal(Request(scope))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                for name, value in HEADERS.items():
                    if name.lower().encode() not in present:
                        message["headers"].append((name.lower().encode(), value.encode()))
                if b"cache-control" not in present:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host.rpartition(":")[0] not in _NAMES and host not in _NAMES:
            return PlainTextResponse(f"This console does not answer for {host!r}.", 421)
        if request.method not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse("Only GET and POST.", 405)
        if request.method == "POST" and not _from_our_origin(request, host):
            return PlainTextResponse("A form must come from this console's own pages.", 403)
        return self._without_key(request)

    def _without_key(self, request: Request) -> Response | None:
        if not self._keys.entry or request.url.path.startswith("/static/"):
            return None
        given = request.query_params.get("key", "")
        if given and hmac.compare_digest(given, self._keys.entry):
            answer = RedirectResponse(request.url.path, 303)
            answer.set_cookie(COOKIE, self._keys.entry, httponly=True, samesite="strict")
            return answer
        if hmac.compare_digest(request.cookies.get(COOKIE, ""), self._keys.entry):
            return None
        return PlainTextResponse("Open the link that `payments console` printed: it holds the key.", 403)


def _from_our_origin(request: Request, host: str) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin") or request.headers.get("referer", "")
    return urlsplit(origin).netloc == host


async def form_of(request: Request, keys: Keys) -> dict[str, str] | None:
    """Return a form's fields by name; nothing when it lacks our token, or is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return None
    fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    return fields if hmac.compare_digest(fields.get("token", ""), keys.form) else None
