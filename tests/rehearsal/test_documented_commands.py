"""Shell blocks that pages mark as runnable (```sh runnable) are run, in the repository, against a stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core.repository import ROOT

_BLOCK = re.compile(r"^```sh runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCKS = {
    f"{page.relative_to(ROOT / 'docs')}-{number}": block
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, block in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
}


@pytest.mark.parametrize("block", _BLOCKS.values(), ids=_BLOCKS.keys())
def test_what_a_page_says_can_be_run_ends_well(block: str, settings: dict[str, str]) -> None:
    # Given a shell that was told which stack is meant, as the pages say
    told = settings | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    # When a reader pastes the block
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607 - the reader's own bash
        cwd=ROOT,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    # Then every command of it ended with 0
    assert ran.returncode == 0, ran.stdout + ran.stderr
