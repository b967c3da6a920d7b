"""The database server of the tests and of the embedded AWS."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pymongo.database
import pytest

from embedded_aws import mongod
from tests.processes import living
from tests.waiting import wait_until


def test_it_is_a_writable_replica_set(database: pymongo.database.Database[dict[str, Any]]) -> None:
    # Given a fresh database; When a document is written in a transaction
    with database.client.start_session() as session, session.start_transaction():
        database.things.insert_one({"_id": 1}, session=session)
    # Then it is there
    assert database.things.count_documents({}) == 1


def test_an_override_that_is_no_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGOD", "/nowhere/mongod")
    with pytest.raises(mongod.MongodUnavailable, match="MONGOD=/nowhere/mongod is not an executable file"):
        mongod.binary()


def test_a_taken_port_is_named(
    mongod: mongod.Mongod,  # the fixture of that name
    tmp_path: Any,
) -> None:
    from embedded_aws.mongod import MongodUnavailable, start  # noqa: PLC0415 - the fixture hides the module

    with pytest.raises(MongodUnavailable, match=f"port {mongod.port} is taken"):
        start(tmp_path, mongod.port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start sweeps it")
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    # Given a process that starts one for itself
    code = (
        "import pathlib, time; from embedded_aws import mongod;"
        f"print(mongod.start(pathlib.Path({str(tmp_path)!r})).process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        # When that process is killed outright
        starter.send_signal(signal.SIGKILL)
    # Then the server ends, too
    wait_until(lambda: not living(lambda process: process == server), "the server's end")
