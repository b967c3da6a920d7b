"""The rooms of the house: every package with the first sentence of its own docstring, as tables for pages."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING, Final

from pipelines.docs_site.markdown import code, prose, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.docs_site.drift import Drift

PARTS: Final = {
    "environments": "environments",
    "embedded": "environments/embedded/src/embedded_aws",
    "lambdas": "lambdas",
    "templates": "templates",
    "pipelines": "pipelines",
}
"""Where each table's packages are, by the name that pages use: `rooms.pipelines`."""
_LONGEST: Final = 160
_SENTENCE_END: Final = re.compile(r"(?<=\.)\s+(?=[A-Z`])")


def tables(root: Path, drift: Drift) -> dict[str, str]:
    """Return a table of packages for each part of the house, by the name that pages use.

    A package without a docstring, or whose first sentence is longer than a line of the table, is drift.
    """
    return {name: _table(root, folder, drift) for name, folder in PARTS.items()}


def contracts(root: Path) -> str:
    """Return the import contracts by name, as a list."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    names = [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]
    return "\n".join(f"- {name}." for name in names)


def _table(root: Path, folder: str, drift: Drift) -> str:
    rows = []
    for path in sorted((root / folder).rglob("__init__.py"), key=lambda path: path.parent):
        room = path.parent.relative_to(root).as_posix()
        if _is_nested_part(room, folder) or "/tests" in room:
            continue
        source = f"{room}/__init__.py"
        story = first_sentence(path.read_text(encoding="utf-8"))
        if not story:
            drift.note(f"{source} has no docstring; docs/start/repository.md is made of its first sentence.")
        elif len(story) > _LONGEST:
            drift.note(f"The first sentence of {source} is {len(story)} characters long, over {_LONGEST}.")
        rows.append([code(f"{room}/"), prose(story)])
    return table(["Room", "What it is for"], rows)


def first_sentence(source: str) -> str:
    """Return the first sentence of a module's docstring; empty where it has none."""
    text = ast.get_docstring(ast.parse(source)) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return _SENTENCE_END.split(paragraph)[0]


def _is_nested_part(room: str, folder: str) -> bool:
    return any(
        part != folder and len(part) > len(folder) and room.startswith(part) for part in PARTS.values()
    )
