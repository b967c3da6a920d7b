"""What is measured: what the rehearsal tests deploy, and the data API as its own tests have it."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import contest
from tests.integration.conftest import db, shared_database
from tests.rehearsal.conftest import built, deploy, deployed, here

__all__ = ["built", "db", "deploy", "deployed", "here", "shared_database"]


@pytest.fixture(scope="session")
def mongod_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on a disk: memory would flatter the figures."""
    return tmp_path_factory.mktemp("mongod")


def pytest_terminal_summary() -> None:
    """Print what was measured."""
    for table in contest.measured:
        Console(width=130).print(table)
