"""What was measured and is published in docs/data, and whether it is about the source that is here."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROVEN: Final = ("lambdas", "templates/definitions", "tests/crash_matrix")
_PICTURED: Final = ("pipelines/console/html", "pipelines/console/static")
_SUFFIXES: Final = {".html", ".css", ".js"}


def read(folder: Path) -> dict[str, Any]:
    """Return the reports of a folder by name."""
    return {
        path.stem.replace("-", "_"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def crash_matrix_digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of functions, workflow and crash matrix."""
    total = hashlib.sha256()
    for path in sorted(path for folder in _PROVEN for path in (root / folder).rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:8]


def crash_matrix_age(reports: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return `proof.since` for pages: a sentence on the age of docs/data/crash-matrix.json."""
    report = reports.get("crash_matrix")
    if report is None:
        return {}
    same = report["source"] == crash_matrix_digest(root)
    age = (
        "nothing of that code has changed since"
        if same
        else "some of that code has changed since; `make crash-matrix` measures anew"
    )
    return {"proof": {"since": f"Measured on {report['date']}; {age}."}}


def pictures_digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of what the console's pages are made from."""
    total = hashlib.sha256()
    for folder in _PICTURED:
        for path in sorted(path for path in (root / folder).rglob("*") if path.suffix in _SUFFIXES):
            total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:8]


def pictures_age(reports: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return `console.age` for pages: whether docs/assets shows the console as it is now."""
    same = reports.get("pictures", {}).get("console") == pictures_digest(root)
    age = "of the present source" if same else "of an earlier source; `make pictures` takes them anew"
    return {"age": f"Pictures {age}."}
