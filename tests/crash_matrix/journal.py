"""The file that a long run writes cell by cell, so that it goes on where it was stopped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.core.repository import ROOT
from pipelines.docs_site import figures
from tests.crash_matrix.bench import Task
from tests.crash_matrix.cells import Result


class Entry(NamedTuple):
    """A cell that was run; faults are (site, kind) and the whole fault as text."""

    scenario: str
    faults: list[list[str]]
    violations: list[str]


class Journal:
    """The cells done so far, in the order of the plan; one of another plan or other code is begun anew."""

    def __init__(self, path: Path, plan: dict[str, Any]) -> None:
        self._path = path
        self._header = json.dumps({**plan, "code": figures.crash_matrix_digest(ROOT)}, sort_keys=True)
        lines = path.read_text().splitlines() if path.exists() else []
        if not lines or lines[0] != self._header:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._header + "\n")
            lines = [self._header]
        # A line that a kill cut short is done again.
        whole = [line for line in lines[1:] if line.endswith("]")]
        path.write_text("".join(f"{line}\n" for line in (self._header, *whole)))
        self.done = len(whole)

    def write(self, task: Task, result: Result) -> None:
        """Add a cell."""
        entry = Entry(task.scenario, [[f.site, f.kind, str(f)] for f in task.faults], result.violations)
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def entries(self) -> Iterator[Entry]:
        """Read every cell."""
        for line in self._path.read_text().splitlines()[1:]:
            yield Entry(*json.loads(line))
