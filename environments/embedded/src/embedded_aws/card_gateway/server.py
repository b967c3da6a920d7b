"""The gateway's process: HTTP on 127.0.0.1, in the environment that holds localstripe.

`python -m embedded_aws.card_gateway.server --root DIR (--port N | --socket FD)`. It ends when the
process that started it is gone (its standard input closes).
"""

import argparse
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

from aiohttp import web  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.server import unflatten_data  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import faults
from embedded_aws.card_gateway.journal import Journal
from embedded_aws.card_gateway.service import Reply, Service

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
