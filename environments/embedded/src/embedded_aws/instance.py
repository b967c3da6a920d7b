"""The public module: start, find, configure and stop the embedded AWS of a folder."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws import server_process
from embedded_aws.codeconnections import repositories
from embedded_aws.codeconnections.repositories import RepositoryUnavailable
from embedded_aws.core import background, runtime
from embedded_aws.core.runtime import Readings
from embedded_aws.iam import call_log
from embedded_aws.server_process import NotInstalled, StartFailed

__all__ = [
    "AlreadyRunning",
    "Instance",
    "NotInstalled",
    "NotRunning",
    "Readings",
    "RepositoryUnavailable",
    "StartFailed",
    "calls",
    "choose_readings",
    "fail_creations",
    "register_repository",
    "running",
    "set_minute",
    "start",
    "stop",
]
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Instance:
    """A running embedded AWS."""

    endpoint: str
    mongodb_uri: str
    pid: int
    root: Path
    card_gateway: str
    """URL of the local Stripe."""


class AlreadyRunning(RuntimeError):  # noqa: N818 - the contract's name; it reads as what happened
    """An instance runs in that folder already; `instance` says where it listens."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(f"the embedded AWS of {instance.root} runs already, at {instance.endpoint}")
        self.instance = instance


class NotRunning(RuntimeError):  # noqa: N818 - the contract's name; it reads as what happened
    """There is nothing to stop in that folder."""


def start(
    root: Path,
    *,
    port: int | None = None,
    mongodb: bool = True,
    mongodb_port: int | None = None,
    keep: bool = False,
    attached: bool = False,
    cache: Path | None = None,
) -> Instance:
    """Start an instance in `root` and wait until it answers (1 to 2 seconds).

    State that an earlier `stop(keep=True)` left there is taken up again, ports included.

    Args:
        root: made if absent; everything the instance writes is inside it.
        port: of the AWS endpoint; a free one, or the kept one, when None.
        mongodb: whether a MongoDB server runs beside it, as a replica set of one.
        mongodb_port: the same for mongod.
        keep: keep the state at any later `stop`.
        attached: end the instance when this process ends, however it ends.
        cache: folder of what outlives instances, the server's interpreter among it; the user's own, or that
            of EMBEDDED_AWS_CACHE, when None.

    Raises:
        AlreadyRunning: an instance runs in `root`.
        StartFailed: the server did not come up.
    """
    root = root.resolve()
    if already := running(root):
        raise AlreadyRunning(already)
    record = server_process.read(root)
    if record is None or not record.alive():
        if record is not None:
            _end_child(record.pid)
        server_process.sweep(root, keep=bool(server_process.kept(root)))
    options = [f"--root={root}"]
    options += [f"--port={port}"] if port else []
    options += [f"--mongodb-port={mongodb_port}"] if mongodb_port else []
    flags = {"--no-mongodb": not mongodb, "--keep": keep, "--attached": attached}
    options += [flag for flag, wanted in flags.items() if wanted]
    process = server_process.launch(root, options, cache, attached=attached)
    _children[process.pid] = process
    return _await_ready(root, process)


def running(root: Path) -> Instance | None:
    """Return the instance that runs in `root` and is ready, if there is one."""
    root = root.resolve()
    record = server_process.read(root)
    if record is None or not record.ready or not record.alive():
        return None
    return Instance(record.endpoint, record.mongodb_uri, record.pid, root, record.card_gateway)


def stop(root: Path, *, keep: bool = False) -> None:
    """Stop the instance in `root`: no process and no file of it remains, but for its state when kept.

    Where a killed instance left something, or a stopped one its kept state, that is removed.

    Raises:
        NotRunning: there is nothing of an instance in `root`.
    """
    root = root.resolve()
    record = server_process.read(root)
    alive = record is not None and record.alive()
    if record is None and not server_process.kept(root):
        raise NotRunning(f"no embedded AWS runs in {root}")
    if record is not None and alive:
        if keep:
            (root / "keep").touch()
        os.kill(record.pid, signal.SIGTERM)
        _await_end(record)
    server_process.sweep(root, keep=bool(alive and server_process.kept(root)))


def register_repository(root: Path, full_name: str, repository: Path) -> None:
    """Let every connection of the instance in `root` reach `repository` as `full_name` (`owner/repo`).

    Commits that are made from now on start the pipelines whose triggers they match.

    Raises:
        RepositoryUnavailable: `repository` is not a git repository.
    """
    entry = {"folder": str(repository.resolve()), "references": repositories.references(repository)}
    _change_settings(
        root, lambda settings: {"repositories": settings.get("repositories", {}) | {full_name: entry}}
    )


def choose_readings(root: Path, readings: Readings) -> None:
    """Make the instance in `root` behave by these readings of AWS's documentation from now on."""
    _change_settings(root, lambda _: readings.as_setting())


def fail_creations(root: Path, *names: str) -> None:
    """Let these creations fail in the instance in `root`, each `stack/LogicalId`, and no others."""
    _change_settings(root, lambda _: {runtime.FAILING: list(names)})


def set_minute(root: Path, seconds: float) -> None:
    """Make an AWS minute (time-outs, alarm waits) last `seconds` in the instance in `root`."""
    _change_settings(root, lambda _: {"minute_seconds": seconds})


def calls(root: Path) -> list[call_log.Call]:
    """Return what the roles of the instance in `root` did so far, one entry for each kind of call."""
    return call_log.read(root)


def _change_settings(root: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    folder = root.resolve() / "state" / runtime.FOLDER
    settings = runtime.read_settings(folder)
    runtime.write_settings(folder, settings | change(settings))


def _await_ready(root: Path, process: subprocess.Popen[bytes]) -> Instance:
    def ours() -> Instance | bool | None:
        ready = running(root)
        if ready is not None and ready.pid == process.pid:
            return ready
        return None if process.poll() is None else False

    def other_is_ready() -> bool | None:
        other = server_process.read(root)
        return True if other is None or other.ready or not other.alive() else None

    ready = background.wait_for(ours, seconds=_START_SECONDS, every=_POLL_SECONDS)
    if isinstance(ready, Instance):
        return ready
    # Another start may have won the race for the folder.
    background.wait_for(other_is_ready, seconds=_START_SECONDS, every=_POLL_SECONDS)
    if other := running(root):
        raise AlreadyRunning(other)
    log = (root / "server.log").read_text(errors="replace") if (root / "server.log").exists() else ""
    _end_child(process.pid)
    raise StartFailed(f"the embedded AWS did not start in {root}; the end of its log:\n{log[-3000:]}")


def _await_end(record: server_process.Record) -> None:
    def ended() -> bool | None:
        return None if record.alive() else True

    if not background.wait_for(ended, seconds=_STOP_SECONDS, every=_POLL_SECONDS):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGKILL)
        background.wait_for(ended, seconds=_STOP_SECONDS, every=_POLL_SECONDS)
    _end_child(record.pid)


def _end_child(pid: int) -> None:
    """Reap the server when it was ours, so that no zombie holds its pid."""
    if child := _children.pop(pid, None):
        if child.stdin:
            child.stdin.close()
        child.kill()
        child.wait()
