"""Figures in prose, read from the reports in docs/data: `{{ crash_matrix.cells }}` is never typed by hand.

`docs/data/crash-matrix.json` is `crash_matrix`; what follows are its keys.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.docs_site.drift import Drift

_USED: Final = re.compile(r"\{\{ *([a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+) *\}\}")


def read(folder: Path) -> dict[str, Any]:
    """The reports by name."""
    return {
        path.stem.replace("-", "_"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def filled(page: str, text: str, reports: Mapping[str, Any], drift: Drift) -> str:
    """The page with its figures; one that no report has is drift."""

    def figure(used: re.Match[str]) -> str:
        value: Any = reports
        for key in used.group(1).split("."):
            value = _inside(value, key)
        if value is None or isinstance(value, dict | list):
            name = used.group(1).partition(".")[0].replace("_", "-")
            drift.found(
                f"docs/{page} names the figure {used.group(1)}, which docs/data/{name}.json does not have."
            )
            return used.group()
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    return _USED.sub(figure, text)


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return value.get(key) if isinstance(value, dict) else None
