from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from environments.schema import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder called `environments`, as messages name it."""
    made = tmp_path / "environments"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Callable[..., None]:
    """Write `try.yml`: branch.yml with changes, as {"database.tls": value}."""
    original = yaml.safe_load((FOLDER / "branch.yml").read_text()) | {"name": "try"}

    def _write(changes: dict[str, Any]) -> None:
        raw = copy.deepcopy(original)
        for path, value in changes.items():
            *parents, key = path.split(".")
            part = raw
            for parent in parents:
                part = part[parent]
            part[key] = value
        (folder / "try.yml").write_text(yaml.safe_dump(raw))

    return _write
