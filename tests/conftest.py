"""What every test may ask for: a real mongod, a fresh database in it, a running embedded AWS."""

import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pymongo
import pymongo.database
import pytest
from embedded_workbench import clients

from embedded_aws import instance
from embedded_aws import mongod as mongod_process
from embedded_aws.core import runtime
from pipelines.core import repository
from tests import in_memory
from tests.site import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault(runtime.CACHE_VARIABLE, str(repository.ROOT / ".cache"))
# How long an example takes is the machine's business: a busy one must not fail a property.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
UNCHANGED = "unchanged"
"""The property of a test that tells what it did not look at anew."""
_LONG = (
    "tests/site/test_browser.py",
    "tests/crash_matrix/test_single_faults.py",
    "tests/rehearsal/test_card_and_bank.py",
    "tests/integration/embedded/test_package.py",
    "tests/integration/embedded/test_lifecycle.py",
    "tests/crash_matrix/test_memory.py",
    "tests/rehearsal/test_doctor.py",
)
"""Files that take long: begun last, one process would end them while the others have nothing left to do."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say at the very end, where it is read, what could not run, and what was taken from an earlier run."""
    yield
    for report in terminalreporter.getreports("passed"):
        for what in (value for name, value in report.user_properties if name == UNCHANGED):
            terminalreporter.line(f"Unchanged since found good: {what}. make test FRESH=1 checks all anew.")
    skipped = terminalreporter.stats.get("skipped", [])
    if any(chromium.MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.section("NOT CHECKED", sep="!", red=True, bold=True)
        terminalreporter.line(chromium.GET_IT, red=True, bold=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; refuse two tests of one node id: in many processes only one would run."""
    items.sort(key=lambda item: item.location[0] not in _LONG)
    for nodeid, count in Counter(item.nodeid for item in items).items():
        if count > 1:
            raise pytest.UsageError(f"{nodeid}: {count} tests have this node id; all but one would not run")


@pytest.fixture(autouse=True)
def _outside_of_any_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the variables that a build has, or that commands take from the caller: a build runs tests."""
    for name in os.environ:
        if name.startswith(("CODEBUILD_", "PAYMENTS_")) and name != "PAYMENTS_CACHE":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def mongod_data() -> Iterator[Path]:
    """Where the mongod of the run has its data."""
    with in_memory.folder() as data:
        yield data


@pytest.fixture(scope="session")
def mongod(mongod_data: Path) -> Iterator[mongod_process.Mongod]:
    """A mongod for the whole run; restart it yourself if you kill it."""
    running = mongod_process.start(mongod_data)
    yield running
    running.kill()


@pytest.fixture(scope="session")
def mongo_client(mongod: mongod_process.Mongod) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongod.uri, w="majority", timeoutMS=10_000) as client:
        yield client


@pytest.fixture
def database(
    mongo_client: pymongo.MongoClient[dict[str, Any]],
) -> Iterator[pymongo.database.Database[dict[str, Any]]]:
    """An empty database of this test's own, dropped after it."""
    fresh = mongo_client[f"test-{os.getpid()}-{uuid.uuid4().hex[:8]}"]
    yield fresh
    mongo_client.drop_database(fresh.name)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real browser for pages; where there is none, its tests say so."""
    from tests.site.browser import running  # noqa: PLC0415 - playwright takes a while, and few tests need it

    path = chromium.find()
    if path is None:
        pytest.skip(chromium.MISSING)
    with running(path) as started:
        yield started


@pytest.fixture(scope="session")
def embedded() -> Iterator[instance.Instance]:
    """An embedded AWS for the whole run, in a folder and on ports of its own; it ends with this process."""
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    with in_memory.folder() as data:
        (root / "mongod").symlink_to(data)
        yield instance.start(root, attached=True)
        instance.stop(root)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def console_address(embedded: instance.Instance) -> Iterator[str]:
    """The console over that embedded AWS, on a port of its own: its first page."""
    from tests.console.served import served  # noqa: PLC0415 - the web server takes a while, few tests need it

    with served(embedded) as url:
        yield url


@pytest.fixture(scope="session")
def aws(embedded: instance.Instance) -> Callable[..., Any]:
    """What makes boto3 clients for the embedded AWS."""
    return clients(embedded.endpoint)
