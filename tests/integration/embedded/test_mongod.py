"""The database server of the tests and of the embedded AWS."""

from typing import Any

import pymongo.database
import pytest

from embedded_aws import mongod


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
