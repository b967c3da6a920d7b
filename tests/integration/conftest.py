"""The data API on the real mongod, in this process."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.write_concern import WriteConcern

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")

from data_api.storage import connection
from data_api.storage.collections import VALIDATORS
from data_api.storage.database import Db
from payment_data.client import DataApi, Response
from tests.integration.data_api.calling import send

PATIENT_SECONDS = 60.0


@pytest.fixture(scope="session")
def shared_database(mongod: Any, mongo_client: Any) -> Iterator[str]:
    """A database with the validators that the data API gave it; making one for each test takes too long."""
    name = f"data-api-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MONGODB_URI", mongod.uri)
        patched.setenv("MONGODB_DATABASE", name)
        # What tests do themselves outlasts a machine that builds meanwhile; requests have their own time-out.
        patched.setattr(connection, "REQUEST_SECONDS", PATIENT_SECONDS)
        connection.database()
    yield name
    mongo_client.drop_database(name)
    connection._client(mongod.uri).close()
    connection._client.cache_clear()
    connection.database.cache_clear()


@pytest.fixture
def db(shared_database: str, mongod: Any, monkeypatch: pytest.MonkeyPatch) -> Db:
    """The data API's own connection to a database without documents."""
    monkeypatch.setenv("MONGODB_URI", mongod.uri)
    monkeypatch.setenv("MONGODB_DATABASE", shared_database)
    database = connection.database()
    for collection in VALIDATORS:
        database[collection].with_options(write_concern=WriteConcern(1)).delete_many({})
    # Only the last one waits for the majority: what is in the journal before it has it, too.
    database[collection].delete_many({})
    return database


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives requests time-outs that a machine does not reach that builds on two processors meanwhile."""
    monkeypatch.setattr(connection, "REQUEST_SECONDS", PATIENT_SECONDS)


@pytest.fixture
def api(db: Db) -> DataApi:
    """The client, straight to the handler."""

    def invoke(method: str, path: str, body: bytes | None = None) -> Response:
        result = send(method, path, body.decode() if body else None)
        return Response(result.status, json.dumps(result.body).encode())

    return DataApi(invoke)
