"""The process of the embedded AWS: mongod and the card gateway its children, MiniStack in its event loop."""

import argparse
import asyncio
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from embedded_aws import mongod, server_process
from embedded_aws.card_gateway import on_demand

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
# A Wait of ten seconds takes 0.2: retries and waits keep their proportions, and a rehearsal stays quick.
_WAIT_SCALE = "0.02"


def main() -> None:
    """Run until SIGTERM, SIGINT or, when attached, until the process that started us is gone."""
    options = _options()
    root: Path = options.root
    lock = (root / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets go of it however we end
    except BlockingIOError:
        sys.exit(f"an embedded AWS runs in {root} already")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # sandboxes and callers all hold sockets
    kept = server_process.kept(root)
    listener = _listen(options.port or kept.get("port", 0))
    port = listener.getsockname()[1]
    endpoint = f"http://{server_process.LOOPBACK}:{port}"
    cards = on_demand.OnDemand(root / "card-gateway", kept.get("card_gateway_port", 0))
    server_process.write(root, ready=False, endpoint=endpoint, mongodb_uri="", card_gateway=cards.url)
    if options.keep:
        (root / "keep").touch()
    database, failure = None, ""
    try:
        if not options.no_mongodb:
            database = mongod.launch(root / "mongod", options.mongodb_port or kept.get("mongodb_port"))
        serving = _serve(root, listener, endpoint, database, cards, attached=options.attached)
        asyncio.run(serving)
    except mongod.MongodUnavailable as error:
        failure = str(error)
    except Exception:  # noqa: BLE001 - whatever it is, whoever started us reads it
        failure = traceback.format_exc()
    finally:
        cards.stop()
        _clean_up(root, {"port": port, "card_gateway_port": cards.port}, database)
    if failure:  # the log went with everything else
        root.mkdir(exist_ok=True)
        (root / "server.log").write_text(failure)
    os._exit(1 if failure else 0)  # threads of hung Lambda calls must not hold the process


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded_aws.server")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--mongodb-port", type=int)
    parser.add_argument("--no-mongodb", action="store_true", help="run no MongoDB server")
    parser.add_argument("--keep", action="store_true", help="keep the state when stopped")
    parser.add_argument("--attached", action="store_true", help="end when stdin closes")
    return parser.parse_args()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server_process.LOOPBACK, port))
    except OSError as error:
        sys.exit(f"port {port} cannot be used: {error}")
    listener.listen(512)
    return listener


async def _serve(
    root: Path,
    listener: socket.socket,
    endpoint: str,
    database: mongod.Mongod | None,
    cards: on_demand.OnDemand,
    *,
    attached: bool,
) -> None:
    configure_ministack(root, endpoint)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if attached:
        threading.Thread(target=_await_parent, args=(loop, stop), daemon=True).start()
    from embedded_aws import install  # noqa: PLC0415 - MiniStack reads the settings at import

    install.install_all()
    if database is not None:
        await asyncio.to_thread(mongod.wait_until_primary, database)

    def ready() -> None:
        (root / "kept.json").unlink(missing_ok=True)  # taken up; it is written again at a stop that keeps
        server_process.write(
            root,
            ready=True,
            endpoint=endpoint,
            mongodb_uri=database.uri if database else "",
            card_gateway=cards.url,
        )

    await _serve_ministack(
        listener,
        stop,
        ready=ready,
        keep=(root / "keep").exists,
    )


def configure_ministack(root: Path, endpoint: str) -> None:
    """Set the environment variables that MiniStack reads when imported, for an instance in `root`."""
    temporary = root / "tmp"
    temporary.mkdir(exist_ok=True)
    host, port = endpoint.removeprefix("http://").split(":")
    os.environ.setdefault("SFN_WAIT_SCALE", _WAIT_SCALE)
    os.environ.setdefault("ALARM_PERIOD_SCALE", "1")  # alarms' minutes; drills shorten them
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.update(
        AUTH="true",  # SigV4 and IAM are enforced from the first call
        AWS_ENDPOINT_URL=endpoint,  # where a function's SDK calls go
        BIND_HOST=host,
        GATEWAY_PORT=port,
        MINISTACK_HOST=host,
        TMPDIR=str(temporary),
        PERSIST_STATE="1",  # whether it is written is decided at the stop
        STATE_DIR=str(root / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(root / "s3"),
        IOT_MTLS_ENABLED="0",  # these two would listen on ports of their own
        SFTP_ENABLED="0",
        LAMBDA_ACCOUNT_CONCURRENCY="1000",  # AWS's; how many run here at once, the sandboxes decide
        DOCKER_HOST="unix:///nonexistent",  # never touch a Docker that happens to be there
    )
    tempfile.tempdir = None  # forget a folder that was chosen before TMPDIR was ours


async def _serve_ministack(
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


def _await_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(stop.set)


def _clean_up(root: Path, taken: dict[str, int], database: mongod.Mongod | None) -> None:
    """Leave nothing behind: no child, no file but the kept ones."""
    keep = (root / "keep").exists()
    if pool := sys.modules.get("embedded_aws.lambda_.pool"):  # it is loaded once everything is installed
        pool.close()
    if database is not None and keep:
        database.stop()
    elif database is not None:
        database.kill()  # a clean stop takes a second, which is lost on files that are removed
    server_process.end_session(os.getpid())
    if keep:
        kept = taken | ({"mongodb_port": database.port} if database and database.pid else {})
        (root / "kept.json").write_text(json.dumps(kept))
    server_process.remove(root, keep=keep)


if __name__ == "__main__":
    main()
