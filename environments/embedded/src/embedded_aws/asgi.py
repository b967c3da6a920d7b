"""MiniStack's application served by hypercorn on a socket of ours, the way its own `main` does it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


async def serve(
    listener: socket.socket, stop: asyncio.Event, *, ready: Callable[[], None], keep: Callable[[], bool]
) -> None:
    """Serve on `listener` until `stop` is set.

    Args:
        listener: bound and listening.
        stop: ends the serving; requests in flight get a second.
        ready: called once when MiniStack has started.
        keep: asked at the stop whether MiniStack should write its state down.
    """
    import hypercorn.asyncio  # noqa: PLC0415 - MiniStack reads its settings at import, so import it here
    import hypercorn.config  # noqa: PLC0415 - as above
    from ministack import app as ministack  # noqa: PLC0415 - as above

    async def application(scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "lifespan":
            await ministack.app(scope, receive, send)
            return

        async def watched_receive() -> _Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                ministack.PERSIST_STATE = keep()
            return message

        async def watched_send(message: _Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                ready()

        await ministack.app(scope, watched_receive, watched_send)

    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.shutdown_timeout = 20
    config.loglevel = "WARNING"
    await hypercorn.asyncio.serve(application, config, shutdown_trigger=stop.wait)
