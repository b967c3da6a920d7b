"""An instance's process: started, found by what it leaves on disk, swept when it was killed.

It runs in the server's own interpreter, in an environment of its own. Here are free TCP ports, too.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from embedded_aws.core import runtime
from embedded_aws.core.runtime import CACHE_VARIABLE

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listened on a moment ago; the caller retries if it lost the race."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_taken(port: int) -> bool:
    """Tell whether something already listens on `port`."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


_FILES = ("state.json", "lock", "server.log", "kept.json", "keep")
_FOLDERS = ("tmp", "mongod", "state", "s3", "card-gateway")
_CLOCK_TOLERANCE_SECONDS = 2.0
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Record:
    """The server process by pid *and* start time (a pid alone may be another's by now), and its addresses."""

    pid: int
    created: float
    ready: bool
    endpoint: str
    mongodb_uri: str
    card_gateway: str = ""

    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_TOLERANCE_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        return False


def read(root: Path) -> Record | None:
    """Read the record of the instance in `root`, alive or not."""
    try:
        return Record(**json.loads((root / "state.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):  # none, or no record of ours
        return None


def write(root: Path, *, ready: bool, endpoint: str, mongodb_uri: str, card_gateway: str) -> None:
    """Record this process, atomically."""
    record = Record(os.getpid(), psutil.Process().create_time(), ready, endpoint, mongodb_uri, card_gateway)
    scratch = root / "state.json.new"
    scratch.write_text(json.dumps(asdict(record)))
    scratch.replace(root / "state.json")


def sweep(root: Path, *, keep: bool) -> None:
    """End what a dead instance left running and remove what it left on disk.

    The server leads a session of its own, and mongod and the Lambda sandboxes are in it. The kernel gives a
    session's number to nobody else while a member lives, so the number alone tells whose they are.
    """
    record = read(root)
    if record is not None and not _reused(record):
        end_session(record.pid)
    remove(root, keep=keep)


def end_session(leader: int) -> None:
    """Kill all processes of a server's session but this one, and wait until they are gone."""
    killed = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == leader and process.pid != os.getpid():
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, timeout=_KILL_SECONDS)


def _reused(record: Record) -> bool:
    """Tell whether the dead server's pid is another process's by now; then nothing of its session is left."""
    try:
        process = psutil.Process(record.pid)
        return abs(process.create_time() - record.created) >= _CLOCK_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False


def kept(root: Path) -> dict[str, int]:
    """Ports of an instance that was stopped with its state kept; empty when none was."""
    try:
        ports: dict[str, int] = json.loads((root / "kept.json").read_text())
    except FileNotFoundError:
        return {}
    return ports


def remove(root: Path, *, keep: bool) -> None:
    """Remove our files from `root`, and `root` itself when nothing else is in it."""
    for name in _FILES:
        if not (keep and name == "kept.json"):
            (root / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        if not (keep and name != "tmp"):
            shutil.rmtree(root / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        root.rmdir()


# Nothing of the caller's AWS profile may leak into it.
_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "MONGOD",
    "MONGODB_URI",
    "CARD_GATEWAY_PYTHON",
    CACHE_VARIABLE,
    "SFN_WAIT_SCALE",
    "SFN_TRANSITIONS_PER_SECOND",
    "ALARM_PERIOD_SCALE",
    "METRIC_MINUTES_LATE",
    "METRIC_SHARE_LOST",
    "LOG_LEVEL",
    "COVERAGE_PROCESS_CONFIG",  # a measured test run measures this process too
)
_REGISTRIES = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""How this machine reaches package registries: builds run in the server's children and need the same."""
_RUN = "import sys; sys.path.append({!r}); from embedded_aws import server; server.main()"


class StartFailed(RuntimeError):  # noqa: N818 - the contract's name; it reads as what happened
    """The server ended before it was ready; the message holds the end of its log."""


class NotInstalled(StartFailed):
    """There is no interpreter that has what the server needs."""


def interpreter(cache: Path | None = None) -> Path:
    """Return the interpreter that servers run in: `embedded-aws` in the cache folder, else this one.

    So whoever starts an instance need not have what the server pins.

    Raises:
        NotInstalled: there is none in the cache folder, and this one lacks MiniStack.
    """
    python = (cache or runtime.cache_folder()) / "embedded-aws" / "bin" / "python"
    if os.access(python, os.X_OK):
        return python
    if find_spec("ministack") is None:
        raise NotInstalled(
            f"the embedded AWS is not installed: there is no {python}, and {sys.executable} has no MiniStack"
        )
    return Path(sys.executable)


def launch(
    root: Path, options: list[str], cache: Path | None, *, attached: bool
) -> "subprocess.Popen[bytes]":
    """Start the server of the instance in `root`, which is made if absent, and do not wait.

    Raises:
        NotInstalled: its environment is not there.
    """
    # Appended, not put before: what the interpreter has of its own comes first.
    command = [str(interpreter(cache)), "-c", _RUN.format(str(Path(__file__).parents[1])), *options]
    environment = {
        n: v for n, v in os.environ.items() if n in _INHERITED or n.upper().startswith(_REGISTRIES)
    }
    environment |= {CACHE_VARIABLE: str(cache.resolve())} if cache else {}
    root.mkdir(parents=True, exist_ok=True)
    with (root / "server.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
