"""Run a room's tests against one mutant after the other, in a copy of the tree.

Begins in the folder where the tests run, and reads a line of JSON per mutant from standard input, `{"file",
"text", "seconds", "first"}`; it answers each with `{"status", "seconds"}`. `first` are the tests that pass
the changed line, or whole files of them; all run when those notice nothing, unless `quick`. Without a file,
the tests run on what is unchanged and note which of them passes which line; with `apart`, which file of them
does, in whatever process. What every mutant imports is loaded once: each is tried in a fork. `tests` names
others than the room's.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
_PYTEST: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
_MEASURED: Final = ("--cov", "--cov-append", "--cov-context=test", "--cov-report=")
SOURCES: Final = ("environments", "templates", "pipelines", "lambdas")
_PROCESSES: Final = "patch = subprocess, _exit\nsigterm = true\n"
_NOTHING_FAILED: Final = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
_POLL_SECONDS: Final = 0.02
_LEAST_SECONDS, _PATIENCE = 120.0, 10.0
"""How long tests may take: so long, and so many times as long as without a mutant."""


def beside(copy: Path, kind: str) -> Path:
    """Return where a copy's coverage, coveragerc or durations are: not in it, where they would be source."""
    return copy.with_name(f"{copy.name}.{kind}")


def main(copy: Path, tests: list[str], preloaded: list[str]) -> None:
    """Answer one line after the other, until there is none."""
    for library in preloaded:
        importlib.import_module(library)
    for line in sys.stdin:
        task = json.loads(line)
        began = time.monotonic()
        if "file" in task:
            with _mutated(copy / task["file"], task["text"]):
                status = _status(copy, task.get("tests") or tests, task)
        else:
            status = _baseline(copy, tests, task)
        print(json.dumps({"status": status, "seconds": time.monotonic() - began}), flush=True)  # noqa: T201


class _Choice:
    """A plugin of pytest: runs some tests, the quickest first, or all others; notes how long each takes."""

    def __init__(self, copy: Path, tests: list[str], *, others: bool) -> None:
        self._durations = beside(copy, "durations")
        self._places = {test: place for place, test in enumerate(tests)}
        self._others = others
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if (self._place(item) is not None) is not self._others]
        items[:] = sorted(chosen, key=lambda item: self._place(item) or 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name in (report.nodeid, report.nodeid.partition("::")[0]):
            self._seconds[name] += report.duration

    def pytest_sessionfinish(self) -> None:
        if self._others and not self._places:
            known = json.loads(self._durations.read_text("utf-8")) if self._durations.exists() else {}
            self._durations.write_text(json.dumps(known | self._seconds), encoding="utf-8")

    def _place(self, item: pytest.Item) -> int | None:
        return self._places.get(item.nodeid, self._places.get(item.nodeid.partition("::")[0]))


def _baseline(copy: Path, tests: list[str], task: dict[str, Any]) -> str:
    """Run all tests measured: at once, or each file for itself, so that its processes say whose they are."""
    settings = beside(copy, "coveragerc")
    sources = ",".join(str(copy / source) for source in SOURCES)
    run = f"[run]\nsource = {sources}\ndata_file = {beside(copy, 'coverage')}\n"
    measured = [*_MEASURED, f"--cov-config={settings}"]
    if not task.get("apart"):
        settings.write_text(run, encoding="utf-8")
        return _tried([*measured, *tests], _Choice(copy, [], others=True), task["seconds"], writing=True)
    for file in _files(tests):
        settings.write_text(f"{run}{_PROCESSES}context = {file}\n", encoding="utf-8")
        runs = (  # twice at most: its processes' patience depends on what else the machine does
            _tried([*measured, file], _Choice(copy, [], others=True), task["seconds"], writing=True)
            for _ in range(2)
        )
        if not any(status == SURVIVED for status in runs):
            return KILLED
    return SURVIVED


def _files(tests: list[str]) -> list[str]:
    folders = ((Path(test), [*Path(test).rglob("test_*.py")]) for test in tests)
    return sorted(str(file) for path, inside in folders for file in inside or [path])


def _status(copy: Path, tests: list[str], task: dict[str, Any]) -> str:
    seconds, first = task["seconds"], task.get("first") or []
    if first:
        files = sorted({test.partition("::")[0] for test in first})
        known = json.loads(beside(copy, "durations").read_text(encoding="utf-8"))
        patience = _LEAST_SECONDS + _PATIENCE * sum(known.get(test, 0.0) for test in first)
        choice = _Choice(copy, first, others=False)
        status = _tried(files, choice, min(seconds, patience), writing=False)
        if status != SURVIVED or task.get("quick"):
            return status
    return _tried(tests, _Choice(copy, first, others=True), seconds, writing=False)


@contextlib.contextmanager
def _mutated(path: Path, text: str) -> Iterator[None]:
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
    main(Path(sys.argv[1]), *(argument.split(",") for argument in sys.argv[2:4]))
