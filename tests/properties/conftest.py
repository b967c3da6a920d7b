"""What properties are asked of: the data API on the real mongod, as the integration tests have it."""

import pytest
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from data_api.storage import connection
from data_api.storage.database import Db
from tests.integration.conftest import api, db, patient, shared_database

__all__ = ["api", "db", "patient", "quick_db", "shared_database"]


@pytest.fixture
def quick_db(db: Db, monkeypatch: pytest.MonkeyPatch) -> Db:
    """The data API's database without waiting for the journal.

    On one node, `w: 1` and local reads see what majority sees; only a crash of the server could tell.
    """
    quick = db.with_options(write_concern=WriteConcern(1), read_concern=ReadConcern("local"))
    monkeypatch.setattr(connection, "database", lambda: quick)
    return quick
