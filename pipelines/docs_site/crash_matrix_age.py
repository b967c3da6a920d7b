"""Whether what the crash matrix found is about the code that is here: its report has that code's digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROVEN: Final = ("lambdas", "templates/definitions", "tests/crash_matrix")


def digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of functions, workflow and crash matrix."""
    total = hashlib.sha256()
    for path in sorted(path for folder in _PROVEN for path in (root / folder).rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:8]


def figures(reports: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return `proof.since` for pages: a sentence on the age of docs/data/crash-matrix.json."""
    report = reports.get("crash_matrix")
    if report is None:
        return {}
    same = report["source"] == digest(root)
    age = (
        "nothing of that code has changed since"
        if same
        else "some of that code has changed since; `make crash-matrix` measures anew"
    )
    return {"proof": {"since": f"Measured on {report['date']}; {age}."}}
