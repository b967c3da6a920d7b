"""Count what the embedded AWS is held to, and keep it for the docs.

`python -m tests.conformance [--check]` collects the tests, those of the package in its own environment, and
writes docs/data/conformance.json, or says by its exit status whether that is what the tests give.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from pipelines.core.repository import ROOT
from tests.conformance import cases
from tests.conformance.cases import Expectation

_PUBLISHED: Final = ROOT / "docs" / "data" / "conformance.json"
_PACKAGE: Final = ROOT / "environments" / "embedded"
_COLLECT: Final = "--collect"


class _Collector:
    """A plugin of pytest: keeps what was collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = list(session.items)


def main(arguments: list[str]) -> int:
    """Collect as told by `--collect`, else write the file; with `--check`, compare it."""
    if _COLLECT in arguments:
        return _collect(arguments[1:])
    every = cases.files()
    own = [path for path in every if path.is_relative_to(_PACKAGE)]
    house = [path for path in every if path not in own]
    interpreter = ROOT / ".cache" / "embedded-aws" / "bin" / "python"
    expectations = [*_collected(Path(sys.executable), ROOT, house), *_collected(interpreter, _PACKAGE, own)]
    text = json.dumps({"areas": cases.summary(expectations)}, indent=1) + "\n"
    if "--check" in arguments:
        return int(_PUBLISHED.read_text(encoding="utf-8") != text)
    _PUBLISHED.write_text(text, encoding="utf-8")
    return 0


def _collected(interpreter: Path, project: Path, modules: list[Path]) -> list[Expectation]:
    """Return what the cases of test modules rest on, collected by an interpreter that can import them."""
    search = os.pathsep.join([str(ROOT), str(_PACKAGE / "src")])
    ran = subprocess.run(
        [
            interpreter,
            "-m",
            "tests.conformance",
            _COLLECT,
            f"--config-file={project / 'pyproject.toml'}",
            *modules,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": search},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [
        Expectation(each["area"], each["kind"], tuple(each["sources"])) for each in json.loads(ran.stdout)
    ]


def _collect(arguments: list[str]) -> int:
    """Print what the cases of test modules rest on, as JSON."""
    collector, said = _Collector(), io.StringIO()
    options = ["--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    with contextlib.redirect_stdout(said):
        status = pytest.main(options, [collector])
    functions = [item for item in collector.items if isinstance(item, pytest.Function)]
    sys.stdout.write(json.dumps([asdict(cases.expectation(item)) for item in functions]))
    if status:
        sys.stderr.write(said.getvalue()[-4000:])
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
