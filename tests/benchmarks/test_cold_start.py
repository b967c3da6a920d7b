"""How long each function's package takes to import, and how big it is."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.cli.terminal import table
from tests.benchmarks import contest

if TYPE_CHECKING:
    from pipelines.build.package_manifest import Package
    from tests.rehearsal.conftest import Built

_RUNS: Final = 11
_BUDGETS: Final = {"data_api": (200, 6)}
_STEP_BUDGET: Final = (150, 2)
"""CPU milliseconds to import, interpreter included, and megabytes zipped."""
# A venv's own interpreter would run its .pth files. On AWS it is 3.13, which is quicker where there is one.
_OWN: Final = str(Path(sys.base_prefix, "bin", "python3"))


def _works(interpreter: str) -> bool:
    """A version manager may have a name for it and nothing behind the name."""
    return subprocess.run([interpreter, "--version"], capture_output=True, check=False).returncode == 0


_CANDIDATES: Final = filter(None, [os.environ.get("PYTHON3_13"), shutil.which("python3.13"), _OWN])
_INTERPRETER: Final = next(filter(_works, _CANDIDATES))
_ENVIRONMENT: Final = {
    "DATA_API_URL": "https://api.execute-api.eu-central-1.amazonaws.com/live",
    "PAYMENT_METHOD": "credit",
    "AWS_REGION": "eu-central-1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/?connect=false",
    "MONGODB_DATABASE": "benchmark",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
    "POWERTOOLS_METRICS_NAMESPACE": "Payments",
}


def test_packages_are_small_and_import_quickly(built: Built, tmp_path: Path) -> None:
    # Given every package unpacked and compiled, as a warm file system has it
    rows, over = [], []
    for name, package in built.manifest.items():
        folder = _unpacked(built, package, tmp_path / name)
        # When its handler is imported by a bare interpreter, again and again
        times = [_import_milliseconds(folder, f"{name}.handler") for _ in range(_RUNS)]
        spent, size = statistics.median(times), package.bytes / 1e6
        time_budget, size_budget = _BUDGETS.get(name, _STEP_BUDGET)
        if spent > time_budget or size > size_budget:
            over.append(name)
        spread = f"{min(times):.0f} to {max(times):.0f}"
        rows.append(
            (name, f"{spent:.0f} ms", spread, f"{time_budget} ms", f"{size:.2f} MB", f"{size_budget} MB")
        )
    columns = ("function", "import CPU", "spread", "budget", "zipped", "budget")
    version = subprocess.run(
        [_INTERPRETER, "--version"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    title = f"Cold start, {version.strip()}, medians of {_RUNS}"
    contest.show(table(title, columns, rows))
    # Then each is within its budget
    assert over == []


def _unpacked(built: Built, package: Package, folder: Path) -> Path:
    with zipfile.ZipFile(built.folder / package.file) as archive:
        archive.extractall(folder)
    subprocess.run([_INTERPRETER, "-m", "compileall", "-qq", str(folder)], check=True)
    return folder


def _import_milliseconds(folder: Path, module: str) -> float:
    """CPU time of an interpreter from its start until the handler is there."""
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}; import resource;"
        "used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime)"
    )
    told = subprocess.run(
        [_INTERPRETER, "-ISE", "-c", code], env=_ENVIRONMENT, check=True, stdout=subprocess.PIPE
    )
    return float(told.stdout) * 1000
