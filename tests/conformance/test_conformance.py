"""What the docs say the embedded AWS was compared with is what its tests name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipelines.core.repository import ROOT
from tests.conformance import cases


def test_the_published_count_is_that_of_the_tests() -> None:
    command = [sys.executable, "-m", "tests.conformance", "--check"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"run python -m tests.conformance: {ran.stderr[-2000:]}"


def test_every_area_is_held_against_something_of_aws() -> None:
    areas = json.loads((ROOT / "docs" / "data" / "conformance.json").read_text(encoding="utf-8"))["areas"]
    assert areas.keys() == cases.AREAS.keys()
    assert [area for area, held in areas.items() if not held["compared"]] == []


def test_every_module_of_an_area_is_there() -> None:
    stems = {path.stem.removeprefix("test_") for path in cases.files()}
    assert stems == {stem for named in cases.AREAS.values() for stem in named}


@pytest.mark.parametrize(
    ("text", "guides"),
    [
        (
            "# https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html.",
            ["CodePipeline user guide"],
        ),
        ("# https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html", ["KMS API reference"]),
        ("# nothing", []),
    ],
)
def test_a_page_is_named_by_its_guide(text: str, guides: list[str]) -> None:
    assert cases._pages(text) == guides
