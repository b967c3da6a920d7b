"""This machine: Python and git."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Final

from pipelines.doctor.findings import Diagnosis, failed, well

_OLDEST: Final = (3, 11)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Diagnosis:
    """Check that Python is new enough."""
    has = ".".join(map(str, version))
    if version[:2] < _OLDEST:
        return failed(f"Python {has}, and 3.11 or newer is needed", "make PYTHON=python3.12 install")
    return well(f"Python {has}")


def git() -> Diagnosis:
    """Check that git runs: pushes start pipelines, and builds read when the source was committed."""
    program = shutil.which("git")
    if program is None:
        return failed("There is no git on the PATH", "Install it with your system's packages.")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if version.returncode:
        return failed(f"{program} does not run: {version.stderr.strip()}", "Install it again.")
    return well(version.stdout.strip())
