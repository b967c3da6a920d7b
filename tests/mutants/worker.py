"""Run a room's tests against one mutant after the other, in a copy of the tree.

Reads a line of JSON per mutant from standard input, `{"file", "text", "seconds"}` (without a file, the tests
run on what is unchanged), and answers each with `{"status", "seconds"}`. What every mutant imports is loaded
once: each is tried in a fork.
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
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
_PYTEST: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
_POLL_SECONDS: Final = 0.02


def main(tests: list[str], preloaded: list[str]) -> None:
    """Answer one line after the other, until there is none."""
    for library in preloaded:
        importlib.import_module(library)
    for line in sys.stdin:
        task = json.loads(line)
        with _mutated(task.get("file"), task.get("text")):
            began = time.monotonic()
            status = _tried(tests, task["seconds"], writing=task.get("file") is None)
        print(json.dumps({"status": status, "seconds": time.monotonic() - began}), flush=True)  # noqa: T201


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


def _tried(tests: list[str], seconds: float, *, writing: bool) -> str:
    child = os.fork()
    if not child:
        os.setsid()
        _run(tests, writing=writing)
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what its tests left running
            return SURVIVED if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK else KILLED
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMED_OUT
        time.sleep(_POLL_SECONDS)


def _run(tests: list[str], *, writing: bool) -> None:
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
    os._exit(pytest.main([*_PYTEST, *tests]))


if __name__ == "__main__":
    main(*(argument.split(",") for argument in sys.argv[1:3]))
