"""Benches for a whole run."""

from collections.abc import Iterator

import pytest

from embedded_aws.mongod import Mongod
from tests.crash_matrix.bench import Bench, Benches, open_bench, open_benches


@pytest.fixture(scope="session")
def benches(mongod: Mongod) -> Iterator[Benches]:
    """Worker processes that run cells."""
    with open_benches(mongod.uri) as opened:
        yield opened


@pytest.fixture
def bench(mongod: Mongod) -> Iterator[Bench]:
    """A bench in this process; every part of the system is interposed while it is open."""
    with open_bench(mongod.uri) as opened:
        yield opened
