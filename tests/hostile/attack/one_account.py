"""Environment files in which all environments, and the pipelines, share one account."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from environments import schema
from environments import tools as tools_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT: Final = tools_file.load().account


def files() -> dict[str, str]:
    """Return the environments' files by their path in the checkout, all with the account of the pipelines."""
    return {
        f"environments/{path.name}": re.sub(
            r'(?m)^( *(?:owner_)?account): "\d+"$', rf'\1: "{ACCOUNT}"', path.read_text(encoding="utf-8")
        )
        for path in sorted(schema.FOLDER.glob("*.yml"))
        if path.stem != "local"
    }


@contextmanager
def loaded(root: Path) -> Iterator[dict[str, str]]:
    """Have this process load these files, which are written below a folder, in place of the checkout's."""
    for name, text in files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    folder = root / "environments"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema.load, "__defaults__", (folder,))
        patch.setattr(tools_file.load, "__defaults__", (folder / tools_file.FILE.name,))
        yield files()
