from __future__ import annotations

import json
from typing import TYPE_CHECKING

from environments.schema import load, names
from pipelines.deploy.synth import synth

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
