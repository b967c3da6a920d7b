"""How much processor time each help takes, interpreter included, where everything is compiled already."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from typing import Final

from pipelines.cli.main import main
from pipelines.cli.terminal import table
from pipelines.core.repository import ROOT
from pipelines.docs_site.pages import commands
from tests.benchmarks import contest

_RUNS: Final = 5
_BUDGET_MILLISECONDS: Final = 300


def test_every_help_is_shown_before_a_person_waits() -> None:
    # Given every group and every command, each asked once, so that nothing is left to compile
    paths = ["payments", *(path for path, _ in commands.every(main))]
    for path in paths:
        _milliseconds(path)
    # When each is asked for its help
    taken = {path: statistics.median(_milliseconds(path) for _ in range(_RUNS)) for path in paths}
    # Then none takes longer than the budget
    slowest = sorted(taken.items(), key=lambda entry: -entry[1])
    rows = [(path, f"{milliseconds:.0f}") for path, milliseconds in slowest]
    contest.show(table("Help", ("command", "CPU ms"), rows))
    assert [path for path, milliseconds in taken.items() if milliseconds > _BUDGET_MILLISECONDS] == []


def _milliseconds(path: str) -> float:
    """Return what one call of a help takes, in milliseconds of user and system time."""
    command = [sys.executable, "-m", "pipelines.cli", *path.split()[1:], "--help"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, path
    return (usage.ru_utime + usage.ru_stime) * 1000
