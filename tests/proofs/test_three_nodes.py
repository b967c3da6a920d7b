"""A part of the crash matrix on three nodes, whose primary is lost again and again while cells run."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pymongo
from pymongo.errors import PyMongoError

from embedded_aws import mongod, server_process
from tests.crash_matrix import plan
from tests.crash_matrix.bench import open_bench
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SET: Final = "three"
_EVERY_SECONDS: Final = 3.0
_FROZEN_SECONDS: Final = 3.0
_ELECTION: Final = {"electionTimeoutMillis": 1_000, "heartbeatIntervalMillis": 200}
_CELLS_OF_A_SCENARIO: Final = 4


@dataclass
class Node:
    """One mongod of the set."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"{server_process.LOOPBACK}:{self.port}"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [
                str(mongod.binary()),
                f"--dbpath={self.folder}",
                f"--logpath={self.folder / 'mongod.log'}",
                "--logappend",
                f"--port={self.port}",
                f"--bind_ip={server_process.LOOPBACK}",
                "--nounixsocket",
                f"--replSet={_SET}",
                "--oplogSize=64",
                "--wiredTigerCacheSizeGB=0.25",
            ],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


@dataclass
class ReplicaSet:
    """Three nodes, and how often their primary was lost, by how."""

    nodes: list[Node]
    lost: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"mongodb://{','.join(node.host for node in self.nodes)}/?replicaSet={_SET}"

    @contextlib.contextmanager
    def client(self) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
        with pymongo.MongoClient[dict[str, Any]](self.uri, timeoutMS=20_000) as client:
            yield client

    def initiate(self) -> None:
        for node in self.nodes:
            with pymongo.MongoClient[dict[str, Any]](node.host, directConnection=True) as itself:
                itself.admin.command("ping")  # waits until it listens
        members = [{"_id": number, "host": node.host} for number, node in enumerate(self.nodes)]
        with pymongo.MongoClient[dict[str, Any]](self.nodes[0].host, directConnection=True) as first:
            first.admin.command("replSetInitiate", {"_id": _SET, "members": members, "settings": _ELECTION})
        with self.client() as client:
            wait_until(lambda: client.primary, "a primary", seconds=60)

    def lose_primaries(self, over: threading.Event) -> None:
        """Lose one primary after another, in each way by turns."""
        ways = itertools.cycle([self._step_down, self._freeze, self._kill])
        while not over.wait(_EVERY_SECONDS):
            with contextlib.suppress(PyMongoError):  # no primary just now
                primary, way = self._primary(), next(ways)
                way(primary)
                self.lost.append(way.__name__)

    def _primary(self) -> Node:
        with self.client() as client:
            wait_until(lambda: client.primary, "a primary", seconds=60)
            assert client.primary
            port = client.primary[1]
        return next(node for node in self.nodes if node.port == port)

    def _step_down(self, node: Node) -> None:
        with pymongo.MongoClient[dict[str, Any]](node.host, directConnection=True) as primary:
            primary.admin.command("replSetStepDown", 2, force=True)

    def _freeze(self, node: Node) -> None:
        """Stop it as a paused machine is, until the others have another primary."""
        assert node.process
        node.process.send_signal(signal.SIGSTOP)
        try:
            threading.Event().wait(_FROZEN_SECONDS)
        finally:
            node.process.send_signal(signal.SIGCONT)

    def _kill(self, node: Node) -> None:
        node.kill()
        node.start()


@contextlib.contextmanager
def _three_nodes(folder: Path) -> Iterator[ReplicaSet]:
    nodes = [Node(folder / f"node-{number}", server_process.free_port()) for number in range(3)]
    try:
        for node in nodes:
            node.start()
        replica_set = ReplicaSet(nodes)
        replica_set.initiate()
        yield replica_set
    finally:
        for node in nodes:
            node.kill()


@contextlib.contextmanager
def _failing_over(replica_set: ReplicaSet) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=replica_set.lose_primaries, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_every_guarantee_holds_while_the_primary_is_lost_again_and_again(tmp_path: Path) -> None:
    # Given three nodes, and a bench on them that has MongoDB execute every command
    found: dict[str, list[str]] = {}
    cells = 0
    with (
        _three_nodes(tmp_path) as replica_set,
        open_bench(replica_set.uri, "three-nodes", forgetful=True) as bench,
        _failing_over(replica_set),
    ):
        # When each scenario runs, alone and with single faults, while primaries are lost
        for recording in plan.recordings():
            recorded = bench.run(recording)
            singles = plan.one_more_fault(recording, recorded)
            dice = random.Random(recording.scenario)  # noqa: S311 - a sample, no secret
            for task in [recording, *dice.sample(singles, min(_CELLS_OF_A_SCENARIO, len(singles)))]:
                cells += 1
                if violations := bench.run(task).violations:
                    found[str(task)] = violations
    # Then each guarantee held in every cell
    assert not found, json.dumps(found, indent=1)
    assert set(replica_set.lost) == {"_step_down", "_freeze", "_kill"}, (cells, replica_set.lost)
