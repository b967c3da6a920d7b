"""Shell blocks that pages mark as runnable (```sh runnable) are run, in the repository, against a stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.cli import embedded as up
from pipelines.cli import rehearse
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from embedded_aws.instance import Instance

_BLOCK = re.compile(r"^```sh runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCKS = {
    f"{page.relative_to(ROOT / 'docs')}-{number}": block
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, block in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
}


def _paste(text: str, settings: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    told = settings | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],  # noqa: S607 - the reader's own bash
        cwd=folder,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("block", _BLOCKS.values(), ids=_BLOCKS.keys())
def test_what_a_page_says_can_be_run_ends_well(block: str, settings: dict[str, str]) -> None:
    # Given a shell that was told which stack is meant, as the pages say
    # When a reader pastes the block
    ran = _paste(block, settings, ROOT)
    # Then every command of it ended with 0
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_up_and_a_kept_rehearsal_print_next_can_be_pasted(
    settings: dict[str, str], embedded: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a person in another folder, an embedded AWS with a stack in it, and what is printed there
    monkeypatch.chdir(tmp_path)
    after_up = re.findall(r"payments (?:load|order) .*", up.next_steps())
    kept = rehearse._next_commands(embedded, stays=True)
    after_rehearsal = re.findall(r"^  ((?:export AWS_ENDPOINT|payments order ).*)$", kept, re.MULTILINE)
    assert (len(after_up), len(after_rehearsal)) == (2, 3)
    # When all of it is pasted into one shell that was told nothing, the stack's name apart
    here = settings["PAYMENTS_STACK"]
    steps = [after_rehearsal[0], f"export PAYMENTS_STACK={here}", *after_up, *after_rehearsal[1:]]
    ran = _paste("\n".join(steps), {}, tmp_path)
    # Then each ended with 0
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr.count("SUCCEEDED") == len(["order-1", "order-4"])
    # And the books are in order, though two samples name what does not exist
    checked = _paste("payments reconcile", settings, tmp_path)
    assert checked.returncode == 0, checked.stdout
