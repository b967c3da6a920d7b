"""What `make lint` reads is all that there is to read."""

import re
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


def test_no_test_replaces_the_clock_of_the_process() -> None:
    # A thread beside the test, as pymongo's monitor of a server, would read it; a module is given its own
    replaced = re.compile(r"""setattr\(("?|[^\n]*\.)time(\.|, )""")
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "environments/embedded/tests").rglob("*.py")]
    assert [path for path in tests if replaced.search(path.read_text(encoding="utf-8"))] == []
    # And such a line would be found
    for patched in (
        'waiting.time, "sleep"',
        '"pipelines.core.waiting.time.sleep"',
        '"time.sleep"',
        'time, "sleep"',
    ):
        assert replaced.search(f"monkeypatch.setattr({patched}, pause)")
