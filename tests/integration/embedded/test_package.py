"""The embedded AWS's own tests, in its own environment."""

from __future__ import annotations

import os
import subprocess

from embedded_aws import server_process
from pipelines.core.repository import ROOT


def test_the_package_s_own_tests_pass_in_its_own_environment() -> None:
    # Given the environment that its lock describes, and nothing of the house
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"UV": str(ROOT / ".venv" / "bin" / "uv")}
    # When its tests run there
    command = [str(server_process.interpreter()), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    package = ROOT / "environments" / "embedded"
    ran = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    # Then all pass
    assert ran.returncode == 0, ran.stdout
