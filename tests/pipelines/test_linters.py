"""What `make lint` reads is all that there is to read."""

import subprocess
import sys
from pathlib import Path

from pipelines.core.repository import ROOT


def test_no_python_file_is_left_out_of_what_ruff_reads() -> None:
    # Given every Python file of ours
    folders = ("environments", "lambdas", "pipelines", "templates", "tests")
    ours = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    # When ruff says which files it reads
    ruff = Path(sys.executable).with_name("ruff")
    told = subprocess.run([ruff, "check", "--show-files", "."], cwd=ROOT, check=True, capture_output=True)
    # Then none of ours is missing
    assert ours - {Path(line) for line in told.stdout.decode().splitlines()} == set()
