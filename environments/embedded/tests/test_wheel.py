"""The wheel in an empty environment, outside of this checkout, on a stranger's repository."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

_PACKAGE = Path(__file__).parents[1]
_UV = os.environ.get("UV", "uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built."""
    out = tmp_path_factory.mktemp("wheel")
    _run(_UV, "build", "--quiet", "--wheel", "--out-dir", out, _PACKAGE)
    (built,) = out.glob("*.whl")
    return built


def test_a_stranger_promotes_a_commit_with_nothing_but_the_wheel(wheel: Path, tmp_path: Path) -> None:
    # Given an environment that holds the wheel and what it needs
    python = tmp_path / "environment" / "bin" / "python"
    _run(_UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "environment")
    _run(_UV, "pip", "install", "--quiet", "--python", python, wheel)
    # When a stranger's program deploys a pipeline and commits
    folder = tmp_path / "stranger"
    folder.mkdir()
    done = _run(python, Path(__file__).with_name("stranger.py"), folder, cwd=folder)
    # Then the commit went through it, a function ran, and nothing of the instance is left
    assert json.loads(done) == {"pipeline": "Succeeded", "function": {"seen": "stranger"}}
    assert sorted(path.name for path in folder.iterdir()) == ["cache", "repository"]
    # And the command is there
    command = tmp_path / "environment" / "bin" / "embedded-aws"
    assert "repository" in _run(command, "--help")


@pytest.mark.parametrize("word", ["payments", "payment_", "templates.", "make install", ".cache/"])
def test_the_package_knows_nothing_of_the_house_that_made_it(wheel: Path, word: str) -> None:
    # The card gateway is a local Stripe: payments are its trade.
    with zipfile.ZipFile(wheel) as package:
        sources = {
            name: package.read(name).decode()
            for name in package.namelist()
            if name.endswith((".py", ".yml")) and "card_gateway/" not in name
        }
    assert [name for name, source in sources.items() if word in source] == []


def _run(*command: object, cwd: Path | None = None) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EMBEDDED_", "PYTHON", "COVERAGE", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
