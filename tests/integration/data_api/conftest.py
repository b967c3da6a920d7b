"""What the tests of the data API ask for beside the API itself."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from data_api.storage.database import Db
from payment_data.client import DataApi
from tests.integration.data_api.calling import send
from tests.integration.data_api.interleaving import Interleaving
from tests.integration.data_api.shop import Shop

Call = Callable[..., SimpleNamespace]


@pytest.fixture
def call(db: Db) -> Call:
    """Sends a request whose body is JSON, or text as it is; returns status, headers, body."""
    return send


@pytest.fixture
def shop(api: DataApi, db: Db) -> Shop:
    return Shop(api, db)


@pytest.fixture
def interleaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Interleaving]:
    faults = Interleaving(monkeypatch)
    yield faults
    assert not faults.waiting, "a fault never came about"
