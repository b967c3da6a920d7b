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
import threading
from pathlib import Path

from embedded_aws import asgi, mongod, ports, process_record, settings
from embedded_aws.card_gateway import on_demand


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
    kept = process_record.kept(root)
    listener = _listen(options.port or kept.get("port", 0))
    port = listener.getsockname()[1]
    endpoint = f"http://{ports.LOOPBACK}:{port}"
    cards = on_demand.OnDemand(root / "card-gateway", kept.get("card_gateway_port", 0))
    process_record.write(root, ready=False, endpoint=endpoint, mongodb_uri="", card_gateway=cards.url)
    if options.keep:
        (root / "keep").touch()
    database = mongod.launch(root / "mongod", options.mongodb_port or kept.get("mongodb_port"))
    try:
        serving = _serve(root, listener, endpoint, database, cards, attached=options.attached)
        asyncio.run(serving)
    finally:
        cards.stop()
        _clean_up(root, {"port": port, "card_gateway_port": cards.port}, database)
    os._exit(0)  # threads of hung Lambda calls must not hold the process


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded_aws.server")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--mongodb-port", type=int)
    parser.add_argument("--keep", action="store_true", help="keep the state when stopped")
    parser.add_argument("--attached", action="store_true", help="end when stdin closes")
    return parser.parse_args()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ports.LOOPBACK, port))
    except OSError as error:
        sys.exit(f"port {port} cannot be used: {error}")
    listener.listen(512)
    return listener


async def _serve(
    root: Path,
    listener: socket.socket,
    endpoint: str,
    database: mongod.Mongod,
    cards: on_demand.OnDemand,
    *,
    attached: bool,
) -> None:
    settings.apply(root, endpoint)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if attached:
        threading.Thread(target=_await_parent, args=(loop, stop), daemon=True).start()
    from embedded_aws import install  # noqa: PLC0415 - MiniStack reads the settings at import

    install.install_all()
    await asyncio.to_thread(mongod.wait_until_primary, database)

    def ready() -> None:
        (root / "kept.json").unlink(missing_ok=True)  # taken up; it is written again at a stop that keeps
        process_record.write(
            root, ready=True, endpoint=endpoint, mongodb_uri=database.uri, card_gateway=cards.url
        )

    await asgi.serve(
        listener,
        stop,
        ready=ready,
        keep=(root / "keep").exists,
    )


def _await_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(stop.set)


def _clean_up(root: Path, taken: dict[str, int], database: mongod.Mongod) -> None:
    """Leave nothing behind: no child, no file but the kept ones."""
    from embedded_aws.lambda_ import pool  # noqa: PLC0415 - see _serve

    keep = (root / "keep").exists()
    pool.close()
    if keep:
        database.stop()
    else:
        database.kill()  # a clean stop takes a second, which is lost on files that are removed
    process_record.end_session(os.getpid())
    if keep:
        kept = taken | ({"mongodb_port": database.port} if database.pid else {})
        (root / "kept.json").write_text(json.dumps(kept))
    process_record.remove(root, keep=keep)


if __name__ == "__main__":
    main()
