"""Runs the embedded AWS's own tests in its own environment, with nothing of the house."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from embedded_aws import server_process
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PACKAGE: Final = ROOT / "environments" / "embedded"


def of_pipelines(module: Path) -> bool:
    """Return whether a module's tests are about pipelines and builds: half of all the time is theirs."""
    return "from codepipeline_workbench import" in module.read_text(encoding="utf-8")


def run(chosen: Callable[[Path], bool]) -> subprocess.CompletedProcess[str]:
    """Run the tests of the chosen modules."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"UV": str(ROOT / ".venv" / "bin" / "uv")}
    modules = [str(module) for module in sorted((_PACKAGE / "tests").glob("test_*.py")) if chosen(module)]
    command = [str(server_process.interpreter()), "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules]
    return subprocess.run(command, cwd=_PACKAGE, env=environment, capture_output=True, text=True, check=False)
