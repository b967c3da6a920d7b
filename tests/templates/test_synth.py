from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from troposphere import Parameter

from environments.schema import load, names
from pipelines.core.refusals import Refused
from pipelines.deploy.synth import STACKS, build, synth
from templates.capabilities import step_functions

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE_LIMIT = 1_000_000
"""CloudFormation's limit for a template in S3, in bytes."""


def test_every_environment_is_written_as_templates_of_cloudformations_size(tmp_path: Path) -> None:
    # When every environment is written
    paths = [path for name in names() for path in synth(load(name), tmp_path).values()]
    # Then each file is a template, and none is too large
    assert sorted(str(path.relative_to(tmp_path)) for path in paths) == sorted(
        f"{name}/{stack}.json" for name in names() for stack in ("network", "payments")
    )
    for path in paths:
        assert json.loads(path.read_text())["Resources"]
        assert path.stat().st_size < TEMPLATE_LIMIT


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    first = synth(load("prod"), tmp_path / "first")
    second = synth(load("prod"), tmp_path / "second")
    assert {name: path.read_bytes() for name, path in first.items()} == {
        name: path.read_bytes() for name, path in second.items()
    }


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("ROUTES", "release_products of the payment workflow is not in ROUTES of"),
        ("_DESCRIPTIONS", "_DESCRIPTIONS[name] has no 'release_products'."),
    ],
)
def test_a_function_that_is_half_entered_is_refused_with_the_place(
    monkeypatch: pytest.MonkeyPatch, table: str, says: str
) -> None:
    # Given a function of the workflow that one of the tables does not know
    known = {
        name: value for name, value in getattr(step_functions, table).items() if name != "release_products"
    }
    monkeypatch.setattr(step_functions, table, known)  # what were deleted would come back as the last one
    # Then whoever makes the templates is told where
    with pytest.raises(Refused, match=re.escape(says)) as refused:
        build(load("local"))
    assert "templates/capabilities/step_functions.py" in str(refused.value)


def test_what_a_library_says_of_a_template_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given templates whose code troposphere refuses
    monkeypatch.setitem(STACKS, "network", lambda _: Parameter("no such name!", Type="String"))
    # Then it is a mistake of the program, to be told as one
    with pytest.raises(ValueError, match="not alphanumeric"):
        build(load("local"))
