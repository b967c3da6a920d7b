"""The gateway's process: HTTP on 127.0.0.1, in the environment that holds localstripe.

`python -m embedded_aws.card_gateway.server --root DIR (--port N | --socket FD)`. It ends when the
process that started it is gone (its standard input closes).

One request with its idempotency key and the journal around it.

https://docs.stripe.com/api/idempotent_requests: the first answer of a key is kept for 24 hours whether it
is a success or not, and given again; other parameters are refused; a request that fails validation, or that
comes while its key is being executed, keeps nothing.
"""

import argparse
import asyncio
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.server import unflatten_data  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import faults
from embedded_aws.card_gateway.api import StripeApi
from embedded_aws.card_gateway.journal import Journal, Request


class Diverged(RuntimeError):  # noqa: N818 - a word says it
    """Replaying the journal did not make what it made at first."""


class Reply(NamedTuple):
    """An HTTP answer; `replayed` when it is the one kept under the request's key."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


class Service:
    """The gateway without HTTP.

    Args:
        journal: where it keeps what it did, and takes it up from.
        thinking_seconds: how long every change takes, as a bank's answer does.
        clock: seconds since the epoch.

    Raises:
        Diverged: the journal cannot be replayed by this version.
    """

    def __init__(
        self, journal: Journal, thinking_seconds: float = 0.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._journal = journal
        self._thinking = thinking_seconds
        self._clock = clock
        self._api = StripeApi()
        self._in_use: set[str] = set()
        for done in journal.requests():
            again = self._api.apply(done.method, done.path, done.params, at=done.at, seed=done.seed)
            if (again.status, again.body.get("id")) != (done.status, done.made):
                raise Diverged(f"{done.method} {done.path} made {again.body.get('id')}, not {done.made}")

    async def handle(self, method: str, path: str, params: dict[str, Any], key: str | None) -> Reply:
        """Answer one request, at most once per key."""
        try:
            if method == "GET":
                answer = self._api.apply(method, path, params, at=self._clock(), seed=secrets.token_hex(16))
                return Reply(answer.status, answer.body)
            if key is None:
                return await self._execute(path, params, None)
            return self._kept(key, path, params) or await self._with_key(key, path, params)
        except faults.Fault as fault:
            return Reply(fault.status, fault.body)

    def _kept(self, key: str, path: str, params: dict[str, Any]) -> Reply | None:
        saved = self._journal.answer(key, now=self._clock())
        if saved is None:
            return None
        if saved.path != path:
            raise faults.key_reused(key, endpoint=(path, saved.path))
        if saved.params != params:
            raise faults.key_reused(key)
        return Reply(saved.status, saved.body, replayed=True)

    async def _with_key(self, key: str, path: str, params: dict[str, Any]) -> Reply:
        if key in self._in_use:
            raise faults.key_in_use(key)
        self._in_use.add(key)
        try:
            return await self._execute(path, params, key)
        finally:
            self._in_use.remove(key)

    async def _execute(self, path: str, params: dict[str, Any], key: str | None) -> Reply:
        await asyncio.sleep(self._thinking)
        at, seed = self._clock(), secrets.token_hex(16)
        answer = self._api.apply("POST", path, params, at=at, seed=seed)
        if answer.executed:
            request = Request(at, seed, "POST", path, params, answer.status, answer.body.get("id"))
            self._journal.record(request, key=key, body=answer.body)
        return Reply(answer.status, answer.body)


READY = "/_gateway/ready"


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    journal = Journal(options.root / "journal.sqlite")
    service = Service(journal, options.thinking_seconds)
    where = {"host": "127.0.0.1", "port": options.port}
    if options.socket is not None:
        where = {"sock": socket.socket(fileno=options.socket)}
    web.run_app(_application(service), **where, access_log=None, print=None)
    journal.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A local Stripe for development and tests.")
    parser.add_argument("--root", type=Path, required=True, help="folder of its state")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int)
    where.add_argument("--socket", type=int, help="file descriptor of a socket that listens already")
    parser.add_argument("--thinking-seconds", type=float, default=0.0, help="how long a change takes")
    return parser.parse_args()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)  # like a kill: what was answered is in the journal


def _application(service: Service) -> Any:
    async def ready(_: Any) -> Any:
        return web.json_response({"pid": os.getpid()})

    async def answer(request: Any) -> Any:
        headers = {"Request-Id": "req_" + secrets.token_hex(7)}
        key = request.headers.get("Idempotency-Key")
        if version := request.headers.get("Stripe-Version"):
            headers["Stripe-Version"] = version
        if key:
            headers["Idempotency-Key"] = key
        reply = await _reply(service, request, key)
        if reply.replayed:
            headers["Idempotent-Replayed"] = "true"
        return web.json_response(reply.body, status=reply.status, headers=headers)

    application = web.Application()
    application.router.add_get(READY, ready)
    application.router.add_route("*", "/{path:.*}", answer)
    return application


async def _reply(service: Service, request: Any, key: str | None) -> Reply:
    if not _is_test_key(request.headers.get("Authorization", "")):
        fault = faults.unauthorized()
        return Reply(fault.status, fault.body)
    if request.method not in ("GET", "POST"):
        fault = faults.not_emulated(request.method, request.path)
        return Reply(fault.status, fault.body)
    params = unflatten_data(request.query if request.method == "GET" else await request.post())
    return await service.handle(request.method, request.path, params, key)


def _is_test_key(authorization: str) -> bool:
    """Take any test key but a revoked one; a live key must never reach a stand-in."""
    scheme, _, key = authorization.partition(" ")
    return (
        scheme == "Bearer"
        and key.startswith(("sk_test_", "rk_test_"))
        and not key.startswith("sk_test_revoked")
    )


if __name__ == "__main__":
    main()
