"""The gateway of an embedded AWS: a socket that listens always, and a process behind it once somebody calls.

Most instances never take a card, and then there is no process. One that was killed is started again by the
next request, on the state it had: the socket is ours, so callers wait in its queue and are not refused.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from embedded_aws import server_process
from embedded_aws.card_gateway import gateway
from embedded_aws.card_gateway.gateway import GatewayUnavailable

_ENDED_BY_US = (-signal.SIGKILL, -signal.SIGTERM)
_EARLY_EXIT_SECONDS = 5.0
_STOP_SECONDS = 10.0
_UNREAD_SECONDS = 2.0
_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class OnDemand:
    """Listens at `url` until stopped.

    Args:
        root: folder of the gateway's state; made when it is first needed.
        port: to listen on; any free one for 0.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, root: Path, port: int = 0) -> None:
        self._root = root
        self._listener = socket.create_server((server_process.LOOPBACK, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{server_process.LOOPBACK}:{self.port}"
        self._stopping, self._wake = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True, name="card gateway")
        self._thread.start()

    def stop(self) -> None:
        """End the process, if there is one, and stop listening."""
        os.close(self._wake)
        self._end()
        self._thread.join(_STOP_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        while self._wait_for_caller():
            started = time.monotonic()
            try:
                self._process = gateway.spawn(self._root, listener=self._listener)
            except (GatewayUnavailable, OSError) as error:
                self._refuse(str(error))
                continue
            status = self._process.wait()
            gateway.close_stdin(self._process)
            if status not in _ENDED_BY_US and time.monotonic() - started < _EARLY_EXIT_SECONDS:
                self._refuse(f"card gateway: it ended with {status}")  # else it would be started for ever
        os.close(self._stopping)
        self._end()

    def _wait_for_caller(self) -> bool:
        """Wait until somebody connects; False once this is being stopped."""
        ready, _, _ = select.select([self._listener.fileno(), self._stopping], [], [])
        return self._stopping not in ready

    def _refuse(self, why: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "gateway.log").open("a") as log:
            log.write(f"{why}\n")
        with contextlib.suppress(OSError):
            caller, _ = self._listener.accept()
            with caller:
                _answer_unavailable(caller)

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return
        process.kill()
        process.wait()


def _answer_unavailable(caller: socket.socket) -> None:
    """Answer 503, and read what the caller still sends.

    Closed with a request unread, the connection would be reset, and the caller might never see the answer.
    """
    caller.settimeout(_UNREAD_SECONDS)
    caller.sendall(_UNAVAILABLE)
    caller.shutdown(socket.SHUT_WR)
    while caller.recv(65536):
        pass
