"""What drills did, written down for the docs and for the tests of every run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from tests.drills.pages import Block

RECORD: Final = ROOT / "docs" / "data" / "drills.json"
IN_A_ROW: Final = 3
"""How often a drill must have ended well."""


@dataclass(slots=True)
class Run:
    """One run of a drill.

    Attributes:
        drill: Its name.
        broke: What was broken, in words.
        alarms: Those that had to ring, and did.
        ran: The blocks that were run, in order.
        seconds: From the last act of the mending until everything was well.
        held: What was checked at the end.
    """

    drill: str
    broke: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    ran: list[Block] = field(default_factory=list)
    seconds: float = 0.0
    held: list[str] = field(default_factory=list)

    def told(self) -> str:
        """One line."""
        rang = ", ".join(self.alarms) or "none, as expected"
        return (
            f"{self.drill}: {'; '.join(self.broke)} | alarm: {rang} | {len(self.ran)} blocks run"
            f" | well after {self.seconds:.0f} s | {', '.join(self.held)}"
        )


def read() -> dict[str, Any]:
    """The record by drill."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8"))) if RECORD.exists() else {}


def write(runs: list[Run]) -> None:
    """Write down a drill that ended well each time, in place of what was known of it."""
    last = runs[-1]
    ran = list(dict.fromkeys(last.ran))
    entry: dict[str, Any] = {
        "broke": "; ".join(last.broke),
        "alarms": last.alarms,
        "times": len(runs),
        "seconds": [round(run.seconds) for run in runs],
        "held": last.held,
        "ran": [{**asdict(block), "digest": block.digest} for block in ran],
    }
    for block in entry["ran"]:
        del block["text"]  # the page has it
    whole = {**read(), last.drill: entry}
    RECORD.write_text(
        json.dumps(dict(sorted(whole.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
