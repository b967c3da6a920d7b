"""The evidence of a rehearsal outlives its answer and its embedded AWS: a real gate, at a real terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from codepipeline_workbench import Workshop, approve, commands, stage

from pipelines.core.repository import ROOT
from pipelines.evidence import page
from tests.sample_evidence import FINE
from tests.terminals import at_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

_FOLLOW = """
import sys
from pathlib import Path
from types import SimpleNamespace
from pipelines.aws import accounts
from pipelines.cli import failures, rehearsal_summary, rehearse
from pipelines.promotion.execution import Promotion

endpoint, kept, name, execution = sys.argv[1:]
rehearsal_summary.KEPT = Path(kept)
prepared = SimpleNamespace(aws=accounts.connect_tools(endpoint))
with failures.reported():
    rehearse.follow_shown(prepared, Promotion("release", name, execution))
"""


@pytest.fixture
def gate(workshop: Workshop, pipelines_stack: Callable[[str], None], evidence: str) -> tuple[str, str]:
    """A release that waits for an answer, with that evidence: its pipeline and its execution."""
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Approve", approve(configuration={"ExternalEntityLink": evidence})),
        stage("Deploy", commands("true")),
    )
    pipelines_stack(name)
    return name, workshop.start(name)


@pytest.mark.parametrize(
    "answer",
    [
        ("n\nprices are wrong\n", "Failed", 1, "Rejected by .*: prices are wrong"),
        ("y\n", "Succeeded", 0, "Release it"),
    ],
)
def test_whatever_is_answered_the_evidence_stays_and_its_place_is_printed_whole(
    workshop: Workshop,
    tools: Aws,
    gate: tuple[str, str],
    tmp_path: Path,
    answer: tuple[str, str, int, str],
) -> None:
    # Given a release at its gate, and a folder with a name longer than the terminal is wide
    (name, execution), (typed, status, expected, said) = gate, answer
    kept = tmp_path / ("it's a père's folder " * 4) / "evidence.html"
    # When a person at a terminal answers the rehearsal's question
    assert tools.endpoint
    command = [sys.executable, "-c", _FOLLOW, tools.endpoint, str(kept), name, execution]
    code, shown = at_a_terminal(command, typed, cwd=ROOT, NO_COLOR="1")
    # Then that is the answer
    assert workshop.finished(name, execution)["status"] == status
    assert code == expected, shown
    assert re.search(said, shown), shown
    # And the page can be read at the place that was printed, which no embedded AWS is needed for
    [place] = re.findall(r"A copy that stays: (.*?)\r?\n", shown)
    assert Path(place).read_text(encoding="utf-8") == page.html(FINE)
    # And after a no the place is said once more, below the failure's report
    assert (f"evidence, kept      {kept}" in shown) == (status == "Failed")
