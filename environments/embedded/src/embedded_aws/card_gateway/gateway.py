"""Starts and stops the local Stripe, a child of this process in an environment of its own.

That environment is `card-gateway` in the cache folder; `CARD_GATEWAY_PYTHON` names another interpreter that
has what `uv.lock` beside this file lists.
"""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from embedded_aws import server_process
from embedded_aws.core import background, runtime

TEST_KEY = "sk_test_embedded"
"""A key it takes. It takes any that begins like this, so there is nothing secret about it."""
_SERVER = "embedded_aws.card_gateway.server"
_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0


class GatewayUnavailable(RuntimeError):  # noqa: N818 - like MongodUnavailable, it reads as a sentence
    """The gateway is not installed or did not come up; the message says what to do or what was logged."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A running gateway: `url` is what a Stripe client takes as its API base."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Return the process id, for tests that kill the gateway."""
        return self.process.pid

    def stop(self) -> None:
        """End the gateway cleanly."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        close_stdin(self.process)

    def kill(self) -> None:
        """End the gateway as a power cut would."""
        self.process.kill()
        self.process.wait()
        close_stdin(self.process)


def close_stdin(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that an ended process read from."""
    if process.stdin:
        process.stdin.close()


def start(root: Path, port: int | None = None, *, thinking_seconds: float = 0.0) -> RunningGateway:
    """Start a gateway on the state in `root` and wait until it answers.

    Args:
        root: made if absent; what an earlier gateway answered is taken up again, also after it was killed.
        port: a free one when None.
        thinking_seconds: how long it takes over every change.

    Raises:
        GatewayUnavailable: not installed, the port is taken, or it did not come up.
    """
    if port is not None and server_process.port_taken(port):
        raise GatewayUnavailable(
            f"card gateway: port {port} is taken; give another or stop what listens there"
        )
    port = port or server_process.free_port()
    process = spawn(root, port=port, thinking_seconds=thinking_seconds)
    gateway = RunningGateway(f"http://{server_process.LOOPBACK}:{port}", process)
    try:
        _await_ready(gateway, root)
    except BaseException:
        gateway.kill()
        raise
    return gateway


def is_installed(cache_folder: Path | None = None) -> bool:
    """Return whether the gateway's environment is installed, in this cache folder or in the usual one."""
    try:
        installed_python(cache_folder)
    except GatewayUnavailable:
        return False
    return True


def installed_python(cache_folder: Path | None = None) -> Path:
    """Return the interpreter of the gateway's environment.

    Raises:
        GatewayUnavailable: it is not installed.
    """
    override = os.environ.get("CARD_GATEWAY_PYTHON")
    python = (
        Path(override)
        if override
        else (cache_folder or runtime.cache_folder()) / "card-gateway" / "bin" / "python"
    )
    if not os.access(python, os.X_OK):
        raise GatewayUnavailable(
            f"card gateway: there is no {python}; make it of {Path(__file__).with_name('uv.lock')}"
        )
    return python


def spawn(
    root: Path, *, port: int = 0, listener: socket.socket | None = None, thinking_seconds: float = 0.0
) -> subprocess.Popen[bytes]:
    """Start the process on the state in `root`, and do not wait.

    Args:
        root: made if absent.
        port: to listen on.
        listener: a socket that listens already, instead.
        thinking_seconds: how long it takes over every change.

    Raises:
        GatewayUnavailable: it is not installed.
    """
    root.mkdir(parents=True, exist_ok=True)
    listen_on = f"--port={port}" if listener is None else f"--socket={listener.fileno()}"
    # Appended, not put before: the gateway's own packages come first.
    here = str(Path(__file__).parents[2])
    run = f"import runpy, sys; sys.path.append({here!r}); runpy.run_module({_SERVER!r}, run_name='__main__')"
    command = [str(installed_python()), "-c", run]
    command += [f"--root={root}", listen_on, f"--thinking-seconds={thinking_seconds}"]
    with (root / "gateway.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=root,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.PIPE,  # it ends when this closes, hence with us
            pass_fds=[] if listener is None else [listener.fileno()],
            stdout=log,
            stderr=log,
        )


def _await_ready(gateway: RunningGateway, root: Path) -> None:
    def settled() -> bool | None:  # it answers, or it ended
        ready = _answering_pid(gateway.url) == gateway.pid
        return ready if ready or gateway.process.poll() is not None else None

    if background.wait_for(settled, seconds=_READY_SECONDS, every=0.02):
        return
    log = (root / "gateway.log").read_text(errors="replace")
    raise GatewayUnavailable(f"no card gateway came up at {gateway.url}; the end of its log:\n{log[-2000:]}")


def _answering_pid(url: str) -> int | None:
    try:
        with urllib.request.urlopen(f"{url}/_gateway/ready", timeout=1) as answer:  # noqa: S310 - our own http URL
            pid: int = json.load(answer)["pid"]
            return pid
    except (urllib.error.URLError, OSError):
        return None  # not listening yet
