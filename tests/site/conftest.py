from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.docs_site import building
from tests.site.served import FOLDER

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the site of this source in it, as it is published; built once for all workers."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    mine = tmp_path_factory.mktemp("published")
    folder = tmp_path_factory.getbasetemp().parent / f"published-{run}" if run else mine
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / FOLDER).is_dir():
            building.build(ROOT, folder / "building", tmp_path_factory.mktemp("docs"), main)
            (folder / "building").rename(folder / FOLDER)
    return folder


@pytest.fixture(scope="session")
def site(published: Path) -> Path:
    """The site."""
    return published / FOLDER
