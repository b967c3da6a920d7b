"""What a build proved of the money path, with a real MongoDB: what was tried, and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.build import check_cache
from pipelines.evidence import reports

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.build.check_cache import CheckRecord
    from pipelines.evidence.reports import Suite

SINGLES: Final = "single faults"
PAIRS: Final = "pairs of faults"
HUNTED: Final = "mutants hunted"
CAUGHT: Final = "mutants caught"
"""Properties of the report's tests (`tests/in_a_build.py`), which are added up."""
FILE: Final = "money-path.xml"
NOT_PROVEN: Final = "the money path was not proven"


@dataclass(frozen=True, slots=True)
class MoneyPath:
    """A proof of the money path.

    Attributes:
        suite: The tests that ran, and what they tried.
        record: When and where they ran, and which part of them.
    """

    suite: Suite
    record: CheckRecord

    @property
    def in_short(self) -> bool:
        """Return whether a part of it was proven alone."""
        return bool(self.record.part)

    @property
    def problems(self) -> list[str]:
        """Return why it proves nothing; empty where it does."""
        suite, tried = self.suite, self.suite.properties
        reasons = [f"{len(suite.failed)} proofs of the money path failed"] if suite.failed else []
        if not suite.ran or not tried.get(SINGLES) or not tried.get(HUNTED):
            reasons.append(f"{NOT_PROVEN}: no test ran, or no fault or no mutant was tried")
        if tried.get(CAUGHT, 0) < tried.get(HUNTED, 0):
            reasons.append("a mutant of the money path was not caught")
        return reasons


def read(proven: Path) -> MoneyPath | None:
    """Read the artifact of a proof; None when its report or its record is missing."""
    suite = reports.tests(proven / "reports" / FILE)
    record = check_cache.read(proven / "reports", check_cache.money_path())
    return None if suite is None or record is None else MoneyPath(suite, record)


def in_a_line(proof: MoneyPath | None) -> str:
    """Return what was proven, in a line."""
    if proof is None:
        return "NOT PROVEN, there is no report"
    suite, tried = proof.suite, proof.suite.properties
    passed = suite.ran - len(suite.failed)
    part = "IN SHORT, as rehearsals do: " if proof.in_short else ""
    return (
        f"{part}{passed} tests passed, {len(suite.failed)} failed; {tried.get(SINGLES, 0)} single faults; "
        f"{tried.get(CAUGHT, 0)} of {tried.get(HUNTED, 0)} mutants caught"
    )


def rows(proof: MoneyPath) -> list[tuple[str, str]]:
    """Return what ran and what did not, as a reader of the evidence is shown it: what, and how it went."""
    suite, tried = proof.suite, proof.suite.properties
    folders = ", ".join(f"{count} {name}" for name, count in sorted(suite.folders.items()) if name)
    left = [f"{count} tests: {reason}" for reason, count in sorted(suite.reasons.items())]
    if proof.in_short:
        left.insert(
            0, "most tests, faults and mutants: make rehearsal FULL=1 runs them, and every build on AWS"
        )
    return [
        ("tests with a real MongoDB", f"{suite.ran - len(suite.failed)} passed, {len(suite.failed)} failed"),
        ("of which folders", folders),
        ("a single fault at a step of an order", f"{tried.get(SINGLES, 0)} tried, each guarantee looked at"),
        ("two faults in one order", f"{tried.get(PAIRS, 0)} tried; make crash-matrix goes on"),
        ("code without one protection", f"{tried.get(CAUGHT, 0)} of {tried.get(HUNTED, 0)} noticed"),
        ("not run", "; ".join(left) or "nothing"),
    ]
