"""What tests leave out in a build and what they count, in the very report that the evidence reads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pipelines.core.repository import ROOT
from pipelines.evidence import reports

if TYPE_CHECKING:
    from pathlib import Path

_TESTS = """
import os
from concurrent.futures import Future
from types import SimpleNamespace as Some

import pytest

from tests.crash_matrix.bench import Benches, Task

SEEN = [name for name in os.environ if name.startswith(("AWS_", "CODEBUILD_", "PAYMENTS_"))]

def benches(*results):
    future = Future()
    future.set_result(results[0])
    return Benches(Some(map=lambda *_, **__: iter(results), submit=lambda *_: future))

@pytest.fixture
def browser():
    raise AssertionError("there is none")

def test_a_page(browser):
    pass

def test_nothing_of_the_build_is_seen_when_modules_are_loaded():
    assert SEEN == ["PAYMENTS_CACHE"]

def test_cells():
    one = ("fault",)
    tasks = [Task("struck", one), Task("pair", one * 2), Task("none"), Task("missed", one)]
    struck = [Some(struck=[1]), Some(struck=[1, 2]), Some(struck=[]), Some(struck=[])]
    assert list(benches(*struck).run(tasks)) == struck

def test_a_scenario():
    assert benches(Some(cells=5, missed=["one"])).begin(None, "scenario").result().cells == 5

def test_hunts():
    hunts = [Some(caught_by="a cell"), Some(caught_by="")]
    assert list(benches(*hunts).each(None, ["a", "b"])) == hunts
"""


def test_a_build_leaves_browsers_out_forgets_itself_and_counts_what_was_tried(tmp_path: Path) -> None:
    # Given tests that run inside of a build, as a role and with an endpoint that they must not meet
    (tmp_path / "test_it.py").write_text(_TESTS)
    build = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "CODEBUILD_BUILD_ID": "x", "PAYMENTS_ZONE": "release"}
    kept = {"PAYMENTS_CACHE": str(tmp_path), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'lambdas'}"}
    options = ["-p", "tests.in_a_build", "-p", "no:randomly", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={tmp_path / 'out.xml'}", "test_it.py"]
    # When they run as `make money-path` runs them
    environment = {"PATH": os.environ["PATH"], **build, **kept}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    # Then the report says what was left out and why, and what was tried, each fault that struck once
    suite = reports.tests(tmp_path / "out.xml")
    assert suite is not None
    assert (suite.ran, suite.reasons) == (4, {"needs a browser": 1})
    assert suite.properties == {
        "single faults": 1 + 4,
        "pairs of faults": 1,
        "mutants hunted": 2,
        "mutants caught": 1,
    }
