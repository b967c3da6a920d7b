"""Run a room's tests against one mutant after the other, in a copy of the tree.

Reads a line of JSON per mutant from standard input, `{"file", "text", "seconds", "first"}`, and answers each
with `{"status", "seconds"}`. `first` are the tests that pass the changed line; all run when those notice
nothing, unless `quick`. Without a file, the tests run on what is unchanged and note which of them passes
which line. What every mutant imports is loaded once: each is tried in a fork. `tests` names others than the
room's.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
_PYTEST: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
_MEASURED: Final = ("--cov", "--cov-context=test", "--cov-report=")
_NOTHING_FAILED: Final = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
_POLL_SECONDS: Final = 0.02


def beside(copy: Path, kind: str) -> Path:
    """Return where a copy's coverage, coveragerc or durations are: not in it, where they would be source."""
    return copy.with_name(f"{copy.name}.{kind}")


def main(tests: list[str], preloaded: list[str]) -> None:
    """Answer one line after the other, until there is none."""
    for library in preloaded:
        importlib.import_module(library)
    for line in sys.stdin:
        task = json.loads(line)
        with _mutated(task.get("file"), task.get("text")):
            began = time.monotonic()
            status = _status(task.get("tests") or tests, task)
        print(json.dumps({"status": status, "seconds": time.monotonic() - began}), flush=True)  # noqa: T201


class _Choice:
    """A plugin of pytest: runs some tests, the quickest first, or all others; notes how long each takes."""

    def __init__(self, tests: list[str], *, others: bool) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._others = others
        self._seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if (item.nodeid in self._places) is not self._others]
        items[:] = sorted(chosen, key=lambda item: self._places.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self) -> None:
        if self._others and not self._places:
            beside(Path.cwd(), "durations").write_text(json.dumps(self._seconds), encoding="utf-8")


def _status(tests: list[str], task: dict[str, Any]) -> str:
    seconds, first = task["seconds"], task.get("first") or []
    if task.get("file") is None:
        settings = f"--cov-config={beside(Path.cwd(), 'coveragerc')}"
        return _tried([*_MEASURED, settings, *tests], _Choice([], others=True), seconds, writing=True)
    if first:
        files = sorted({test.partition("::")[0] for test in first})
        status = _tried(files, _Choice(first, others=False), seconds, writing=False)
        if status != SURVIVED or task.get("quick"):
            return status
    return _tried(tests, _Choice(first, others=True), seconds, writing=False)


@contextlib.contextmanager
def _mutated(file: str | None, text: str | None) -> Iterator[None]:
    if file is None or text is None:
        yield
        return
    path = Path(file)
    original = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(original)


def _tried(tests: list[str], choice: _Choice, seconds: float, *, writing: bool) -> str:
    child = os.fork()
    if not child:
        os.setsid()
        _run(tests, choice, writing=writing)
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what its tests left running
            return SURVIVED if os.waitstatus_to_exitcode(status) in _NOTHING_FAILED else KILLED
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMED_OUT
        time.sleep(_POLL_SECONDS)


def _run(tests: list[str], choice: _Choice, *, writing: bool) -> None:
    """Run the tests in this process and end it.

    Only tests of what is unchanged write byte code: a mutant is as long as its original and as new, so that
    Python would take the one's code for the other's.
    """
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if not writing:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os._exit(pytest.main([*_PYTEST, *tests], plugins=[choice]))


if __name__ == "__main__":
    main(*(argument.split(",") for argument in sys.argv[1:3]))
