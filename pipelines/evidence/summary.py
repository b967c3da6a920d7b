"""The evidence in the few lines that an approval may hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.evidence.gather import Evidence

LIMIT: Final = 1000
"""Characters of an approval's CustomData, and of any pipeline variable (CodePipeline quotas)."""
_LINE: Final = 140


def text(evidence: Evidence) -> str:
    """The verdict first, then facts, then as many risks and commits as fit; at most 1,000 characters."""
    facts = [_verdict(evidence), *facts_of(evidence)]
    risks = [f"! {risk.kind}: {risk.place} {risk.what}" for risk in evidence.risks]
    commits = [f"- {one.identifier[:8]} {one.message}" for one in evidence.commits if not one.released]
    return _fitting(facts, [*risks, *commits])


def facts_of(evidence: Evidence) -> list[str]:
    """The facts, one line each."""
    return [
        f"Release of {evidence.commit[:12]}: {evidence.counted_changes}",
        f"Risks: {risk_counts(evidence)}",
        f"Tests: {tests_of(evidence)}",
        *([f"Tested: {folders_of(evidence)}"] if folders_of(evidence) else []),
        f"Smoke in staging: {smoke_of(evidence)}",
        f"Drift in production: {drift_of(evidence)}",
        f"Cost of what stands there: {evidence.dollars:+.2f} USD a month",
    ]


def risk_counts(evidence: Evidence) -> str:
    """How many risks there are of each kind, worst first."""
    counted = Counter(f"{risk.severity.name.lower()} {risk.kind}" for risk in evidence.risks)
    return ", ".join(f"{count} {what}" for what, count in counted.items()) or "none found"


def tests_of(evidence: Evidence) -> str:
    """What the tests said, in a line."""
    tests, covered = evidence.tests, evidence.coverage
    if tests is None:
        return "no report"
    share = "" if covered is None else f", {covered:.0%} of lines covered"
    return f"{tests.ran - len(tests.failed)} passed, {len(tests.failed)} failed{share}"


def folders_of(evidence: Evidence) -> str:
    """Which tests ran in a build, and which do not; empty when the report does not say."""
    ran = evidence.tests.folders if evidence.tests else {}
    said = ", ".join(f"{count} {name}" for name, count in sorted(ran.items()) if name)
    left = f"; not in a build: {', '.join(evidence.not_run)}" if evidence.not_run else ""
    return f"{said}{left}" if said else ""


def checked_of(evidence: Evidence) -> str:
    """When and by whom this source was checked, in a line."""
    found = evidence.checked
    if found is None:
        return "the report does not say when"
    by = f" by {found.build}" if found.build else ""
    how = "the very same source passed before" if found.reused else "in this build"
    return f"{how}, {found.at}{by}, in {found.seconds:.0f} s"


def smoke_of(evidence: Evidence) -> str:
    """What smoke said, in a line."""
    checks = evidence.smoke.checks
    passed = f"{sum(check.ok for check in checks)} of {len(checks)} checks passed"
    return passed if evidence.smoke.passed else f"FAILED, {passed} {evidence.smoke.error}".strip()


def drift_of(evidence: Evidence) -> str:
    """What drift detection said, in a line."""
    drifted = [f"{one.stack}/{name}" for one in evidence.drift for name in one.drifted]
    unknown = [f"{one.stack} not checked" for one in evidence.drift if one.unknown]
    return ", ".join([*drifted, *unknown]) or "none"


def _verdict(evidence: Evidence) -> str:
    return f"{evidence.verdict.upper()}{': ' if evidence.problems else ''}{'; '.join(evidence.problems)}"


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
