"""How long each function's package takes to import, how big it is, and how long the data API's start takes.

The start is measured in processor time and stretched to the share of a processor that the function's memory
gives (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). MONGODB-AWS exists in Atlas
alone: what it adds is measured as what the driver then imports, boto3 above all.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from embedded_aws.protected_mongod import protected
from environments import schema
from pipelines.cli.terminal import table
from templates.capabilities.data_api import DATA_API_LEAST_MEMORY_MB
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


_ONE_PROCESSOR_MB: Final = 1769
_START_SECONDS: Final = 1.5
_FIRST_REQUEST: Final = """
import json, resource, sys
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
import data_api.handler
started = spent()
event = {"httpMethod": "GET", "path": "/orders/o1", "headers": {}, "requestContext": {}}
answer = data_api.handler.handler(event, None)
asked = spent()
import pymongo_auth_aws
print(json.dumps([answer["statusCode"], started, asked - started, spent() - asked]))
"""


def test_the_data_api_starts_within_its_time_logged_in_over_tls(built: Built, tmp_path: Path) -> None:
    # Given the package, and a server that asks for a password and for TLS
    folder, rows = _unpacked(built, built.manifest["data_api"], tmp_path / "data_api"), []
    with protected() as server:
        server.set_user("data-api", "secret", "benchmark")
        (tmp_path / "ca.pem").write_text(server.ca)
        login = f"&authMechanism=SCRAM-SHA-256&authSource=admin&tlsCAFile={tmp_path / 'ca.pem'}"
        uri = server.uri.replace("://", "://data-api:secret@") + login
        # When a sandbox starts and answers its first request, again and again
        runs = [_first_request(folder, uri) for _ in range(_RUNS)]
    statuses = {status for status, *_ in runs}
    start, request, aws = (statistics.median(run[n] for run in runs) for n in (1, 2, 3))
    # Then no request is refused, and at each environment's memory all is over in time
    for name in ("branch", "staging", "prod"):
        memory = max(schema.load(name).functions.memory_mb, DATA_API_LEAST_MEMORY_MB)
        share = min(1.0, memory / _ONE_PROCESSOR_MB)
        for login, spent in (("SCRAM-SHA-256", start), ("MONGODB-AWS, its imports", start + aws)):
            seconds = (spent + request) / share
            rows.append(
                {
                    "environment": name,
                    "login": login,
                    "memory": f"{memory} MB",
                    "processor": f"{(spent + request) * 1000:.0f} ms",
                    "start and first request": round(seconds, 2),
                    "at most": _START_SECONDS,
                    "met": "yes" if seconds <= _START_SECONDS else "no",
                }
            )
    contest.report("cold-start-logged-in", {"rows": rows})
    assert statuses == {404}  # there is no such order; 503 would be a request that found no connection
    assert all(row["met"] == "yes" for row in rows)


def _first_request(folder: Path, uri: str) -> Any:
    """Return [status, processor seconds of the start, the first request, and what MONGODB-AWS imports]."""
    runtime = [str(folder), *(part for part in sys.path if part.endswith("site-packages"))]
    code = f"import sys; sys.path[:0] = {runtime!r}\n{_FIRST_REQUEST}"
    sandbox = {"MONGODB_URI": uri, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
    ended = subprocess.run(
        [sys.executable, "-ISE", "-c", code],
        env=_ENVIRONMENT | sandbox,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])
