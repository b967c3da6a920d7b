"""The evidence of a release: everything that a release manager should know, in one dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.evidence.risks import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipelines.build.check_cache import CheckRecord
    from pipelines.evidence.commits import Commit
    from pipelines.evidence.drift import Drift
    from pipelines.evidence.reports import Suite
    from pipelines.evidence.risks import Risk
    from pipelines.evidence.stack_changes import StackChanges
    from pipelines.orders.smoke import SmokeReport


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an approver sees of a release.

    Attributes:
        commit: The commit that would be released.
        execution: The release pipeline's execution.
        at: When this was written, with its time zone.
        stacks: What would change in production.
        risks: Its risks, worst first.
        tests: How the tests ended; none when there is no report.
        not_run: The folders of tests that a build does not run, since they need a database.
        checked: When and where this source was checked; none when the report does not say.
        coverage: The share of lines that they cover, from 0 to 1.
        smoke: The smoke report from staging.
        commits: What is released, newest first.
        drift: Whether production is what was deployed.
        digests: SHA-256 of every package, template and settings file, as the release pipeline signed them.
        dollars: The change of the fixed monthly cost, in US dollars.
    """

    commit: str
    execution: str
    at: datetime
    stacks: list[StackChanges]
    risks: list[Risk]
    tests: Suite | None
    coverage: float | None
    smoke: SmokeReport
    commits: list[Commit]
    drift: list[Drift]
    digests: Mapping[str, str]
    dollars: float
    not_run: Sequence[str] = ()
    checked: CheckRecord | None = None

    @property
    def problems(self) -> list[str]:
        """Return the reasons to reject the release, whatever it changes; empty when there are none."""
        reasons = []
        if self.tests is None or not self.tests.ran:
            reasons.append("there is no test report")
        elif self.tests.failed:
            reasons.append(f"{len(self.tests.failed)} tests failed")
        if not self.smoke.passed:
            reasons.append("smoke failed in staging")
        return reasons

    @property
    def recommendation(self) -> Literal["reject", "look closely", "looks fine"]:
        """Return what the evidence suggests; a person decides."""
        if self.problems:
            return "reject"
        drifted = any(drift.drifted or drift.unknown for drift in self.drift)
        risky = any(risk.severity > Severity.LOW for risk in self.risks)
        return "look closely" if risky or drifted else "looks fine"

    @property
    def counted_changes(self) -> str:
        """Return how many resources are added, changed, replaced and removed, in words."""
        changes = [change for stack in self.stacks for change in stack.changes]
        counts = {
            "added": sum(change.action == "Add" for change in changes),
            "changed": sum(change.action == "Modify" for change in changes),
            "of them replaced": sum(change.replacement == "yes" for change in changes),
            "removed": sum(change.action == "Remove" for change in changes),
        }
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing changes"
