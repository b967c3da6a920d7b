"""The evidence in the few lines that an approval can hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.evidence.evidence import Evidence

LIMIT: Final = 1000
"""Characters of an approval's CustomData, and of any pipeline variable (CodePipeline quotas)."""
_LINE: Final = 140


def text(evidence: Evidence) -> str:
    """Return the recommendation, facts, and as many risks and commits as fit; at most 1,000 characters."""
    facts = [_recommendation(evidence), *facts_of(evidence)]
    risks = [f"! {risk.kind}: {risk.place} {risk.what}" for risk in evidence.risks]
    commits = [
        f"- {commit.identifier[:8]} {commit.message}" for commit in evidence.commits if not commit.released
    ]
    return _fitting(facts, [*risks, *commits])


def facts_of(evidence: Evidence) -> list[str]:
    """Return the facts, one line each."""
    return [
        f"Release of {evidence.commit[:12]}: {evidence.counted_changes}",
        f"Risks: {risk_counts(evidence)}",
        f"Tests: {tests_of(evidence)}",
        *([f"Tested: {folders_of(evidence)}"] if folders_of(evidence) else []),
        f"Smoke in staging: {smoke_of(evidence)}",
        f"Drift in production: {drift_of(evidence)}",
        f"Fixed monthly cost: {evidence.dollars:+.2f} USD",
    ]


def risk_counts(evidence: Evidence) -> str:
    """Return how many risks there are of each kind, worst first."""
    counted = Counter(f"{risk.severity.name.lower()} {risk.kind}" for risk in evidence.risks)
    return ", ".join(f"{count} {kind}" for kind, count in counted.items()) or "none found"


def tests_of(evidence: Evidence) -> str:
    """Return the result of the tests in a line."""
    tests, covered = evidence.tests, evidence.coverage
    if tests is None:
        return "no report"
    share = "" if covered is None else f", {covered:.0%} of lines covered"
    return f"{tests.ran - len(tests.failed)} passed, {len(tests.failed)} failed{share}"


def folders_of(evidence: Evidence) -> str:
    """Return which tests ran in the build and which do not; empty when the report has no folders."""
    ran = evidence.tests.folders if evidence.tests else {}
    counts = ", ".join(f"{count} {name}" for name, count in sorted(ran.items()) if name)
    left = f"; not in a build: {', '.join(evidence.not_run)}" if evidence.not_run else ""
    return f"{counts}{left}" if counts else ""


def checked_of(evidence: Evidence) -> str:
    """Return when and by which build this source was checked, in a line."""
    record = evidence.checked
    if record is None:
        return "the report does not say when it was checked"
    by = f" by {record.build}" if record.build else ""
    how = "the same source passed before" if record.reused else "in this build"
    return f"{how}, {record.at}{by}, in {record.seconds:.0f} s"


def smoke_of(evidence: Evidence) -> str:
    """Return the result of smoke in a line."""
    checks = evidence.smoke.checks
    passed = f"{sum(check.ok for check in checks)} of {len(checks)} checks passed"
    return passed if evidence.smoke.passed else f"FAILED, {passed} {evidence.smoke.error}".strip()


def drift_of(evidence: Evidence) -> str:
    """Return the result of drift detection in a line."""
    drifted = [f"{drift.stack}/{name}" for drift in evidence.drift for name in drift.drifted]
    unknown = [f"{drift.stack} not checked" for drift in evidence.drift if drift.unknown]
    return ", ".join([*drifted, *unknown]) or "none"


def _recommendation(evidence: Evidence) -> str:
    return (
        f"{evidence.recommendation.upper()}{': ' if evidence.problems else ''}{'; '.join(evidence.problems)}"
    )


def _fitting(needed: list[str], welcome: list[str]) -> str:
    lines = [_short(line) for line in needed]
    for number, line in enumerate(map(_short, welcome)):
        rest = f"… {len(welcome) - number} more on the page"
        if len("\n".join([*lines, line, rest])) > LIMIT:
            lines.append(rest)
            break
        lines.append(line)
    return "\n".join(lines)


def _short(line: str) -> str:
    plain = " ".join(line.split())
    return plain if len(plain) <= _LINE else f"{plain[: _LINE - 1]}…"
