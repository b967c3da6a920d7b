"""Free TCP ports on the loopback interface."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free() -> int:
    """Return a port that nobody listened on a moment ago; the caller retries if it lost the race."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def taken(port: int) -> bool:
    """Tell whether something already listens on `port`."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
