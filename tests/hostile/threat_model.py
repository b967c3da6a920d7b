"""Writes what the page of the threat model shows, from the rows: `python -m tests.hostile.threat_model`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pipelines.core.repository import ROOT
from tests.hostile.attempts import ATTEMPTS, CONTAINED
from tests.hostile.mutants import MUTANTS, SHARING
from tests.hostile.protections import PROTECTIONS

ROWS: Final = ROOT / "docs/data/threat-model.json"
"""What docs/how-it-works/threat-model.md shows."""
OUTCOMES: Final = Path(__file__).with_name("outcomes.json")
"""What AWS answered to each attempt in the last whole run (`make hostile`), by attempt and mode."""
APART: Final = "accounts apart"
ONE: Final = "one account"
MODES: Final = (APART, ONE)
"""Whether each environment and the pipelines have an account of their own, or all share one."""


def text() -> str:
    """Return the rows as JSON: counts, what refuses which attempts, and what reaches nothing."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in ATTEMPTS:
        reasons.setdefault((row.refused_by, row.noticed), []).append(row.tried)
    rows = {
        "attempts": len(ATTEMPTS),
        "given_back": len(MUTANTS) + len(SHARING) + len(ATTEMPTS),
        "checks": len(PROTECTIONS),
        "refused": [
            {"because": because, "noticed": noticed, "tried": tried}
            for (because, noticed), tried in reasons.items()
        ],
        "contained": [
            {"because": row.refused_by, "noticed": row.noticed, "tried": row.tried} for row in CONTAINED
        ],
    }
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def keep(mode: str, attempts: list[dict[str, Any]]) -> None:
    """Keep the outcomes of a whole run: for each attempt the builds that made it, and AWS's error code."""
    kept: dict[str, dict[str, Any]] = json.loads(OUTCOMES.read_text(encoding="utf-8"))
    for row in ATTEMPTS:
        made = [attempt for attempt in attempts if attempt["name"] == row.name]
        kept.setdefault(row.name, {})[mode] = {
            "builds": sorted({attempt["build"] for attempt in made}),
            "outcome": ", ".join(sorted({attempt["outcome"] for attempt in made})),
            "answer": ", ".join(sorted({attempt["answer"].partition(":")[0] for attempt in made})),
        }
    names = {row.name for row in ATTEMPTS}
    plain = {name: entry for name, entry in sorted(kept.items()) if name in names}
    OUTCOMES.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    ROWS.write_text(text(), encoding="utf-8")
