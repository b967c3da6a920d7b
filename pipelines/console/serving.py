"""Runs the console's server on 127.0.0.1: in this process, or beside an embedded AWS while that lives."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from pipelines.core.waiting import TimedOut, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.console.context import Console

LOOPBACK: Final = "127.0.0.1"
_RECORD: Final = Path("tmp", "console.json")
"""Below the folder of an embedded AWS, which goes with it."""
_START_SECONDS: Final = 20
_LOOK_SECONDS: Final = 1.0


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on a free port unless one is named."""
    listener = socket.create_server((LOOPBACK, port))
    listener.set_inheritable(True)
    return listener


def serve(console: Console, listener: socket.socket, until: Callable[[], bool] | None = None) -> None:
    """Answer requests until interrupted, or until something is over.

    Args:
        console: What is shown.
        listener: Where requests come in.
        until: Asked every second whether to stop.
    """
    import uvicorn  # noqa: PLC0415 - its loading is most of what starting takes

    from pipelines.console.application import application  # noqa: PLC0415 - see above

    config = uvicorn.Config(application(console), log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    if until is not None:
        threading.Thread(target=_stop_when, args=(server, until), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def start_beside(root: Path, pid: int, endpoint: str) -> str | None:
    """Start a console beside an embedded AWS, which ends with it, and return its address.

    Args:
        root: The folder of the embedded AWS.
        pid: Its process.
        endpoint: Its endpoint.

    Returns:
        The address; of the one that runs already, if one does; nothing where none could be started.
    """
    if address := running(root):
        return address
    record = root / _RECORD
    record.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "console",
        "--endpoint-url",
        endpoint,
        "--beside",
        str(pid),
    ]
    console = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--record", str(record)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # It may outlive this process; one that ends before is reaped, so that it does not stay a zombie.
    threading.Thread(target=console.wait, daemon=True).start()
    with contextlib.suppress(TimedOut):
        return wait_until(lambda: running(root), seconds=_START_SECONDS, every=0.05, what="the console")
    return None


def running(root: Path) -> str | None:
    """Return the address of the console that runs beside an embedded AWS, if one does."""
    try:
        record = json.loads((root / _RECORD).read_text(encoding="utf-8"))
        os.kill(int(record["pid"]), 0)
        return str(record["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note(record: Path, address: str) -> None:
    """Write down where this console answers, for others to find it."""
    scratch = record.with_suffix(".new")
    scratch.write_text(json.dumps({"pid": os.getpid(), "address": address}), encoding="utf-8")
    scratch.replace(record)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    with contextlib.suppress(OSError):
        # A process that has ended and that nobody asked for its end is still listed.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    return False


def _stop_when(server: object, over: Callable[[], bool]) -> None:
    while not over():
        time.sleep(_LOOK_SECONDS)
    server.should_exit = True  # type: ignore[attr-defined]
