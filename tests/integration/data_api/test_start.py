"""What happens while Lambda makes a sandbox of the data API, before its first request."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from pymongo.errors import WriteError

from data_api.storage import connection

if TYPE_CHECKING:
    from data_api.storage.database import Db

_START = (
    "import data_api.handler; from data_api.storage import connection;"
    "print(connection.database.cache_info().currsize)"
)
_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


def _connections(uri: str, database: str, **environment: str) -> str:
    """Import the handler in an interpreter of its own; return how many connections it made."""
    told = {"MONGODB_URI": uri, "MONGODB_DATABASE": database, "POWERTOOLS_SERVICE_NAME": "start"}
    around = {key: value for key, value in os.environ.items() if not key.startswith("AWS_LAMBDA_")}
    ended = subprocess.run(
        [sys.executable, "-c", _START],
        env=around | told | environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.splitlines()[-1]


def test_a_sandbox_connects_before_its_first_request(db: Db, mongod: Any) -> None:
    assert _connections(mongod.uri, db.name, **_LAMBDA) == "1"


def test_an_import_that_is_no_sandbox_connects_to_nothing(db: Db, mongod: Any) -> None:
    assert _connections(mongod.uri, db.name) == "0"


def test_a_sandbox_starts_without_a_database_and_its_requests_ask_again(db: Db) -> None:
    # Given a port where nothing listens
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    # When
    began = time.monotonic()
    connections = _connections(f"mongodb://127.0.0.1:{port}/?directConnection=true", db.name, **_LAMBDA)
    # Then it starts, well within the ten seconds that Lambda gives it
    assert connections == "0"
    assert time.monotonic() - began < 10


def test_a_server_older_than_any_that_was_tried_is_refused(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given that the server which runs is too old
    monkeypatch.setattr(connection, "OLDEST_WIRE_VERSION", 99)
    # Then nothing is asked of it, and the log says why
    with pytest.raises(connection.ServerTooOld, match="older than MongoDB"):
        connection.database.__wrapped__()


def test_a_database_is_ready_for_money_once_a_sandbox_is_connected(
    mongod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a database that nobody has written to
    name = "sandbox_begins"
    monkeypatch.setenv("MONGODB_URI", mongod.uri)
    monkeypatch.setenv("MONGODB_DATABASE", name)
    # When a sandbox connects
    db = connection.database.__wrapped__()
    # Then each collection has its validator, and an order without a total is refused
    try:
        with pytest.raises(WriteError):
            db.orders.insert_one({"_id": "o1", "state": "NEW"})
    finally:
        db.client.drop_database(name)
