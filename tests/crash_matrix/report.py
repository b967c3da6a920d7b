"""Figures of a run, for people and for the docs, which read them and type none."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.docs_site.figures import crash_matrix_digest
from tests.crash_matrix.hunting import MUTANTS, Hunt
from tests.crash_matrix.journal import Entry

_SHOWN = 50


def figures(entries: Iterable[Entry]) -> dict[str, Any]:
    """Count cells and violations by scenario, kind and site; a pair counts at both of its faults."""
    cells: dict[str, Counter[str]] = {"scenario": Counter(), "kind": Counter(), "site": Counter()}
    violations: dict[str, Counter[str]] = {"scenario": Counter(), "kind": Counter(), "site": Counter()}
    violating: list[dict[str, Any]] = []
    total = bad = 0
    for entry in entries:
        total += 1
        bad += bool(entry.violations)
        places = [("scenario", entry.scenario)]
        for site, kind, _ in entry.faults:
            places += [("kind", kind), ("site", site)]
        for by, name in places:
            cells[by][name] += 1
            violations[by][name] += bool(entry.violations)
        if entry.violations and len(violating) < _SHOWN:
            faults = [text for _, _, text in entry.faults]
            violating.append({"scenario": entry.scenario, "faults": faults, "violations": entry.violations})
    by_all = {
        f"by_{by}": {n: {"cells": c, "violations": violations[by][n]} for n, c in sorted(found.items())}
        for by, found in cells.items()
    }
    return {"cells": total, "violations": bad, **by_all, "violating": violating}


def of_mutants(hunts: dict[str, Hunt]) -> list[dict[str, Any]]:
    """Tell of each mutant which cell caught it, or why none does."""
    return [
        {
            "missing": name,
            "cells": hunt.cells,
            "caught_by": hunt.caught_by,
            "violations": list(hunt.violations),
            "survives": MUTANTS[name].survives,
        }
        for name, hunt in hunts.items()
    ]


def publish(found: dict[str, Any], root: Path) -> Path:
    """Write what the docs tell: the totals, by scenario and by kind of fault."""
    told: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "source": crash_matrix_digest(root),
    }
    told |= {"sample": found["sample"], "seed": found["seed"]}
    for part in ("singles", "pairs"):
        told[part] = {key: found[part][key] for key in ("cells", "violations", "by_scenario", "by_kind")}
    told["mutants"] = {
        "hunted": len(found["mutants"]),
        "caught": sum(bool(mutant["caught_by"]) for mutant in found["mutants"]),
    }
    file = root / "docs" / "data" / "crash-matrix.json"
    file.write_text(json.dumps(told, indent=1) + "\n")
    return file
