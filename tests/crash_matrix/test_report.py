"""What the docs are told of a run."""

import json
from pathlib import Path
from typing import Any

from pipelines.docs_site import figures
from tests.crash_matrix import report
from tests.crash_matrix.journal import Entry

_CELLS = [
    Entry("card: happy", [["Charge / reply", "lost", "Charge / reply lost"]], []),
    Entry("card: happy", [["Charge / call", "crash", "Charge / call crash"]], ["captured twice"]),
]


def since(told: dict[str, Any], root: Path) -> str:
    sentence: str = figures.crash_matrix_age({"crash_matrix": told}, root)["proof"]["since"]
    return sentence


def test_the_docs_get_the_totals_and_the_digest_of_the_code_that_was_run(tmp_path: Path) -> None:
    # Given a run with a violation, of a mutant that was caught and one that was not
    (tmp_path / "docs" / "data").mkdir(parents=True)
    (code := tmp_path / "lambdas" / "handler.py").parent.mkdir()
    code.write_text("first")
    part = report.figures(_CELLS)
    mutants = [{"missing": "fence", "caught_by": "a cell"}, {"missing": "key", "caught_by": None}]
    found = {"sample": 2, "seed": 1, "singles": part, "pairs": part, "mutants": mutants}
    # When it is published
    told = json.loads(report.publish(found, tmp_path).read_text())
    # Then
    assert (told["pairs"]["cells"], told["pairs"]["violations"]) == (2, 1)
    assert told["pairs"]["by_kind"]["crash"] == {"cells": 1, "violations": 1}
    assert told["mutants"] == {"hunted": 2, "caught": 1}
    # And a page can tell whether that is still about this code
    assert "nothing of that code has changed" in since(told, tmp_path)
    code.write_text("second")
    assert "`make crash-matrix` measures anew" in since(told, tmp_path)
