"""The embedded AWS's own tests in its own environment, with nothing of the house."""

import os
import subprocess

from embedded_aws import server_process
from pipelines.core.repository import ROOT


def test_the_package_s_own_tests_pass_in_its_own_environment() -> None:
    # Given its tests but for the long ones, which `make embedded-tests` runs, too
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"UV": str(ROOT / ".venv" / "bin" / "uv")}
    command = [str(server_process.interpreter()), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # When
    ran = subprocess.run(
        [*command, "-m", "not long"],
        cwd=ROOT / "environments" / "embedded",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # Then
    assert ran.returncode == 0, ran.stdout
