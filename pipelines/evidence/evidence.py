"""The evidence of a release: all that an approver should know, and the few lines that an approval holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pipelines.evidence import money_path
from pipelines.evidence.risks import Severity
from pipelines.evidence.stack_changes import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipelines.build.check_cache import CheckRecord
    from pipelines.evidence.commits import Commit
    from pipelines.evidence.money_path import MoneyPath
    from pipelines.evidence.reports import Baseline, Suite
    from pipelines.evidence.risks import Risk
    from pipelines.evidence.stack_changes import Drift, StackChanges
    from pipelines.orders.smoke import SmokeReport
LIMIT: Final = 1000
"""Characters of an approval's CustomData, and of any pipeline variable (CodePipeline quotas)."""
_LINE: Final = 140
_SHOWN_POINTS: Final = 0.05
"""A smaller difference of coverage is shown as none."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a release goes to, and where it is decided.

    Attributes:
        product: The source repository, `owner/name`.
        environment: The environment's name.
        account: Its account.
        region: The pipeline's region.
        pipeline: The release pipeline's name.
        endpoint: The endpoint of an embedded AWS; empty on AWS.
    """

    product: str
    environment: str
    account: str
    region: str
    pipeline: str
    endpoint: str = ""

    def link(self, execution: str) -> str:
        """Return the address of an execution in AWS's console; empty on an embedded AWS, which has none."""
        if self.endpoint or not self.pipeline:
            return ""
        console = f"https://{self.region}.console.aws.amazon.com/codesuite/codepipeline/pipelines"
        return f"{console}/{self.pipeline}/executions/{execution}/timeline?region={self.region}"


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
        money_path: What was proven with a real MongoDB; none when there is no report.
        not_run: The folders of tests that no build runs.
        checked: When and where this source was checked; none when the report does not say.
        baseline: The figures of the release that production runs; none for a first release.
        target: What it would be released to, and where it is decided.
        coverage: The share of lines that they cover, from 0 to 1.
        smoke: The smoke report from staging.
        commits: What is released, newest first.
        drift: Whether production is what was deployed.
        digests: SHA-256 of every package, template and settings file, as the release pipeline signed them.
        dollars: The change of the fixed monthly cost, in US dollars.
        emergency: Whether somebody took it past the deployment window.
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
    money_path: MoneyPath | None = None
    not_run: Sequence[str] = ()
    checked: CheckRecord | None = None
    baseline: Baseline | None = None
    target: Target = field(default_factory=lambda: Target("", "", "", "", ""))
    emergency: bool = False

    @property
    def problems(self) -> list[str]:
        """Return the reasons to reject the release, whatever it changes; empty when there are none."""
        reasons = []
        if self.tests is None or not self.tests.ran:
            reasons.append("there is no test report")
        elif self.tests.failed:
            reasons.append(f"{len(self.tests.failed)} tests failed")
        reasons += [money_path.NOT_PROVEN] if self.money_path is None else self.money_path.problems
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
        return "look closely" if risky or drifted or self.unknown or self.emergency else "looks fine"

    @property
    def counted_changes(self) -> str:
        """Return how many resources are added, changed, replaced and removed, in words."""
        return counted([change for stack in self.stacks for change in stack.changes])

    @property
    def unknown(self) -> list[str]:
        """Return what an approver would want to know and nobody can say; what is unknown is never fine."""
        missing = []
        if self.coverage is None:
            missing.append("coverage was not measured")
        if self.money_path is not None and self.money_path.in_short:
            missing.append("the money path was proven in short")
        if not self.smoke.checks:
            missing.append("smoke names no check")
        if not any(not commit.released for commit in self.commits):
            missing.append("the commits are not known")
        missing += [
            f"the drift of {drift.stack} could not be checked" for drift in self.drift if drift.unknown
        ]
        return missing


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
        f"Release of {evidence.commit[:12]}{_to(evidence)}: {evidence.counted_changes}",
        f"Risks: {risk_counts(evidence)}",
        f"Tests: {tests_of(evidence)}",
        *([f"Tested: {folders_of(evidence)}"] if folders_of(evidence) else []),
        f"Money path: {money_path.in_a_line(evidence.money_path)}",
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
    share = "" if covered is None else f", {covered:.1%} of lines covered{_since(evidence)}"
    return f"{tests.ran - len(tests.failed)} passed, {len(tests.failed)} failed{share}"


def _since(evidence: Evidence) -> str:
    """Return how coverage differs from that of the release that production runs."""
    if evidence.baseline is None or evidence.baseline.coverage is None or evidence.coverage is None:
        return " (nothing to compare with)"
    points = 100 * (evidence.coverage - evidence.baseline.coverage)
    return f" ({points:+.1f} points)" if abs(points) >= _SHOWN_POINTS else " (as before)"


def _to(evidence: Evidence) -> str:
    target = evidence.target
    return f" to {target.environment} ({target.account})" if target.environment else ""


def answers(which: str, execution: str, endpoint: str | None) -> list[str]:
    """Return the two commands that answer a pipeline's approval, as they can be pasted: yes, and no."""
    where = f" --endpoint-url {endpoint}" if endpoint else ""
    answer = f"{which}{where} --execution {execution} --summary WHY"
    return [f"payments pipeline approve {answer}", f"payments pipeline reject {answer}"]


def folders_of(evidence: Evidence) -> str:
    """Return which tests ran in the build and which do not; empty when the report has no folders."""
    ran = evidence.tests.folders if evidence.tests else {}
    counts = ", ".join(f"{count} {name}" for name, count in sorted(ran.items()) if name)
    left = f"; not in a build: {', '.join(evidence.not_run)}" if evidence.not_run else ""
    return f"{counts}{left}" if counts else ""


def smoke_of(evidence: Evidence) -> str:
    """Return the result of smoke in a line."""
    checks = evidence.smoke.checks
    passed = f"{sum(check.ok for check in checks)} of {len(checks)} checks passed"
    return passed if evidence.smoke.passed else f"FAILED, {passed} {evidence.smoke.error}".strip()


def drift_of(evidence: Evidence) -> str:
    """Return the result of drift detection in a line."""
    drifted = [f"{drift.stack}/{name}" for drift in evidence.drift for name in drift.drifted]
    unknown = [f"{drift.stack} not checked" for drift in evidence.drift if drift.unknown]
    absent = [f"{drift.stack} does not exist yet" for drift in evidence.drift if not drift.exists]
    return ", ".join([*drifted, *unknown, *absent]) or "none"


def _recommendation(evidence: Evidence) -> str:
    reasons = "; ".join(evidence.problems or evidence.unknown)
    return f"{evidence.recommendation.upper()}{': ' if reasons else ''}{reasons}"


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
