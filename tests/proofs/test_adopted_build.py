"""What a build does to the files of whoever adopts this: with their environments everything is green, too."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.core.repository import CACHE, ROOT
from pipelines.rehearsal import rehearsal
from pipelines.setup import answers
from tests.pipelines.setup.test_setup import IN_ONE_ACCOUNT, OWN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("given", [IN_ONE_ACCOUNT, OWN], ids=["one account", "five, a cluster of your own"])
def test_the_first_build_of_an_adopter_passes(tmp_path: Path, given: dict[str, str]) -> None:
    # Given a checkout whose environments' files are as `payments init` wrote them
    checkout = tmp_path / "checkout"
    rehearsal.scratch_repository(checkout, "main")
    answers.write(given, checkout / "environments")
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    # When it is checked and built, as a build does it
    folders = (".", "lambdas", "lambdas/payment_data/src", "environments/embedded/src")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(checkout / folder) for folder in folders),
        "PAYMENTS_CACHE": str(tmp_path / "cache"),
        "PAYMENTS_AUDIT_UNCHECKED": "advisories history",
        "UV_CACHE_DIR": str(CACHE / "uv"),
    }
    ran = subprocess.run(
        ["make", "--silent", "--old-file=.venv/installed", "check", "synth", "docs"],  # noqa: S607 - this machine's make
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    # Then nothing of it rests on what our own files say
    assert ran.returncode == 0, f"{ran.stdout[-6000:]}\n{ran.stderr[-6000:]}"
