"""What the caller learns when MongoDB is gone: whether nothing happened, or nobody knows."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, Final

import pymongo
import pytest
from pymongo.collection import Collection

from data_api.domain.requests import Document
from data_api.storage import collections, connection, database
from data_api.storage.database import Db, NotingDatabase
from embedded_aws.mongod import Mongod
from tests.integration.data_api.conftest import Call
from tests.integration.data_api.shop import Shop, later
from tests.properties import guarantees

USER = {"username": "Ann", "balance": 0, "currency": "EUR"}
FORWARD = {"execution": "e", "deadline": later(seconds=3600)}
RESERVATION = FORWARD | {"method": "credit"}


class Wire:
    """A connection to mongod that is cut instead of answers: to which requests, and how many of them."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.lose_answer_to = b""
        self.losses = float("inf")
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with closing(client), socket.create_connection(self._target) as server, suppress(OSError):
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65_536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    if self._loses(source is client, data):
                        server.recv(1)  # it has been done
                        return

    def _loses(self, request: bool, data: bytes) -> bool:
        lost = request and self.losses > 0 and bool(self.lose_answer_to) and self.lose_answer_to in data
        self.losses -= lost
        return lost


@pytest.fixture
def wire(mongod: Mongod, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Iterator[Wire]:
    """The data API reaches the shop's database through the wire."""
    shop.open()
    cut = Wire(mongod.port)
    uri = f"mongodb://127.0.0.1:{cut.port}/?directConnection=true"
    with closing(cut), connection.connect(uri) as client:
        cut_off = NotingDatabase(client, shop.db.name)
        with monkeypatch.context() as patched:
            patched.setattr(connection, "database", lambda: cut_off)
            yield cut


def test_a_write_whose_answer_is_lost_has_an_unknown_outcome_and_may_be_asked_again(
    wire: Wire, call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that every answer to a write is lost
    wire.lose_answer_to = b"update\x00"
    # When
    with monkeypatch.context() as patched:
        patched.setattr(connection, "REQUEST_SECONDS", 0.5)
        lost = call("PUT", "/orders/o1/reservation", RESERVATION)
    wire.lose_answer_to = b""
    again = call("PUT", "/orders/o1/reservation", RESERVATION)
    # Then
    assert (lost.status, lost.body["name"]) == (504, "OutcomeUnknown")
    assert again.status == 200
    assert shop.available() == 8


@pytest.mark.parametrize(
    ("step", "write", "left"),
    [
        ("reserve", b"update\x00", (8, 10_000)),
        ("charge", b"update\x00", (8, 9_200)),
        ("deliver", b"findAndModify\x00", (8, 9_200)),
        ("refund", b"findAndModify\x00", (10, 10_000)),
        ("release", b"update\x00", (10, 10_000)),
        ("fail", b"insert\x00", (10, 10_000)),
    ],
)
def test_a_connection_that_is_lost_once_is_no_matter_to_the_caller(
    wire: Wire, shop: Shop, step: str, write: bytes, left: tuple[int, int]
) -> None:
    # Given an order before its step, and a primary that hangs up when it has done the step's first write
    for before in {"charge": ["reserve"], "deliver": ["reserve", "charge"]}.get(step, []):
        getattr(shop, before)()
    wire.lose_answer_to, wire.losses = write, 1
    # When
    getattr(shop, step)()
    # Then the request was repeated, and what it does was done once
    assert wire.losses == 0
    assert (shop.available(), shop.balance()) == left
    assert list(guarantees.violations(guarantees.read(shop.db))) == []


def test_a_read_whose_answer_is_lost_has_changed_nothing(
    wire: Wire, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that every answer to a read is lost
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    wire.lose_answer_to = b"find\x00"
    # When
    lost = [call("GET", "/orders/o1"), call("PUT", "/orders/o1/reservation", RESERVATION)]
    # Then
    assert [(answer.status, answer.body["name"]) for answer in lost] == [(503, "ApiUnavailable")] * 2


def test_a_database_that_cannot_be_reached_is_said_within_the_apis_time(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a port where nothing listens
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with connection.connect(f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.2)
        with monkeypatch.context() as patched:
            patched.setattr(connection, "database", lambda: NotingDatabase(client, "nowhere"))
            # When
            refused = call("PUT", "/users/u", USER)
    # Then
    assert (refused.status, refused.body["name"]) == (503, "ApiUnavailable")
    assert str(port) not in json.dumps(refused.body)


def test_mongodb_itself_refuses_what_no_code_should_write(
    shop: Shop, mongo_client: pymongo.MongoClient[Document]
) -> None:
    # Given a shop, and a program with a mistake
    shop.open()
    mistakes: list[tuple[str, dict[str, Any]]] = [
        ("products", {"$set": {"available": -1}}),
        ("products", {"$inc": {"available": 0.5}}),
        ("products", {"$unset": {"holds": True}}),
        ("users", {"$inc": {"balance": -10_001}}),
        ("users", {"$set": {"balance": 3}}),  # an int32: the driver was not told that it is money
        ("orders", {"$set": {"state": "SHIPPED"}}),
        ("orders", {"$set": {"total": 1.0}}),
    ]
    for collection, update in mistakes:
        # When
        with pytest.raises(pymongo.errors.WriteError) as refused:
            shop.db[collection].update_one({}, update)
        # Then
        assert refused.value.code == 121
    assert shop.nothing_moved()


def test_sandboxes_that_start_at_once_may_all_put_validators_in_place(database: Db) -> None:
    # Given an empty database
    # When
    with ThreadPoolExecutor(4) as pool:
        started = [pool.submit(collections.ensure_validators, database) for _ in range(4)]
    # Then
    assert [future.exception() for future in started] == [None] * 4
    assert set(database.list_collection_names()) == set(collections.VALIDATORS)


def test_validators_are_put_in_place_only_where_they_are_missing_or_different(
    database: Db,
) -> None:
    # Given a database with one collection without and one with another validator
    database.create_collection("products")
    database.create_collection("users", validator={"$jsonSchema": {"required": ["name"]}})
    # When
    collections.ensure_validators(database)
    # Then all are as declared, and a second time changes nothing
    found = {c["name"]: c["options"]["validator"]["$jsonSchema"] for c in database.list_collections()}
    assert found == collections.VALIDATORS
    database.command("profile", 2)
    collections.ensure_validators(database)
    database.command("profile", 0)
    commands = {next(iter(entry["command"])) for entry in database["system.profile"].find()}
    assert commands <= {"listCollections", "profile"}


_SET: Final = ({"_id": "a"}, {"$set": {"n": 1}})
_CALLS: Final[dict[str, tuple[Any, ...]]] = {
    "bulk_write": ([pymongo.UpdateOne(*_SET)],),
    "delete_many": _SET[:1],
    "delete_one": _SET[:1],
    "find_one_and_delete": _SET[:1],
    "find_one_and_replace": ({"_id": "a"}, {"n": 1}),
    "find_one_and_update": _SET,
    "insert_many": ([{"_id": "b"}],),
    "insert_one": ({"_id": "c"},),
    "replace_one": ({"_id": "a"}, {"n": 1}),
    "update_many": _SET,
    "update_one": _SET,
}


@pytest.mark.parametrize("method", _CALLS)
def test_a_write_is_noted(db: Db, method: str) -> None:
    # Given a request that has read, which is no write
    database.begin_request()
    list(db.scratch.find({}))
    db.scratch.find_one({"_id": "a"})
    assert not database.may_have_written()
    # When it writes
    getattr(db.scratch, method)(*_CALLS[method])
    # Then
    assert database.may_have_written()
    db.scratch.drop()


def test_no_write_of_the_driver_goes_unnoted() -> None:
    verbs = ("insert_", "update_", "replace_", "delete_", "bulk_", "find_one_and_")
    writes = {name for name in dir(Collection) if name.startswith(verbs) and "search" not in name}
    assert writes == set(database.WRITES) == set(_CALLS)


def test_a_write_that_found_no_server_was_not_sent() -> None:
    # Given a port where nothing listens
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    uri = f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=10"
    database.begin_request()
    # When
    with connection.connect(uri) as client, pytest.raises(pymongo.errors.ServerSelectionTimeoutError):
        NotingDatabase(client, "nowhere").products.insert_one({"_id": "a"})
    # Then
    assert not database.may_have_written()
    # But after one that may have been sent, nothing later makes that undone
    database.note_write()
    with connection.connect(uri) as client, pytest.raises(pymongo.errors.ServerSelectionTimeoutError):
        NotingDatabase(client, "nowhere").products.insert_one({"_id": "a"})
    assert database.may_have_written()
