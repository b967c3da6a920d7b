"""Packages are unpacked once for all sessions of a checkout, and not kept for ever."""

from __future__ import annotations

import io
import os
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from embedded_aws.lambda_ import sandbox


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("app.py", code)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where nothing is unpacked yet."""
    monkeypatch.setattr(sandbox, "unpacked", lambda: tmp_path / "lambda-code")
    return tmp_path / "lambda-code"


def test_a_package_is_unpacked_once_and_what_python_compiled_stays() -> None:
    # Given a package that a session ran
    package = zipped("answer = 42")
    folder = Path(sandbox.code_dir(package))
    subprocess.run([sandbox.interpreter(), "-c", "import app"], cwd=folder, check=True, env={})
    compiled = next(folder.rglob("*.pyc")).stat()
    # When the next session wants it; Then it gets the same folder with the bytecode in it
    assert Path(sandbox.code_dir(package)) == folder
    assert next(folder.rglob("*.pyc")).stat() == compiled
    # And another package has another folder
    assert Path(sandbox.code_dir(zipped("answer = 43"))) != folder


def test_a_function_runs_wherever_the_checkout_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an interpreter in a folder whose name a shell would read as something else
    python = tmp_path / 'it\'s "a" $HOME `x` & père' / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sandbox, "interpreter", lambda: python)
    # When a function starts
    bootstrap = Path(sandbox.code_dir(zipped("answer = 42"))) / "bootstrap"
    said = subprocess.run([bootstrap], env={"_HANDLER": "a b"}, check=True, capture_output=True, text=True)
    # Then it is in that interpreter
    assert said.stdout == "-s -m awslambdaric a b\n"


def test_what_served_nobody_for_a_day_is_removed() -> None:
    # Given a package that was used two days ago, one that was and is used again, and one of today
    used = {name: Path(sandbox.code_dir(zipped(name))) for name in ("old", "again", "new")}
    for name in ("old", "again"):
        os.utime(used[name], (time.time() - 2 * 86400,) * 2)
    sandbox.code_dir(zipped("again"))
    # When a session begins
    sandbox.forget_unused()
    # Then only the first is gone, and whoever wants it gets it again
    assert [name for name, folder in used.items() if folder.exists()] == ["again", "new"]
    assert Path(sandbox.code_dir(zipped("old")), "app.py").read_text() == "old"
