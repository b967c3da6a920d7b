"""The test and coverage reports of builds, as CodeBuild's report groups keep them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.aws.accounts import Aws


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a build.

    Attributes:
        name: The report group's name.
        arn: The report, for `aws codebuild batch-get-reports --report-arns`.
        passed: Whether it is green.
        summary: Its counts or its coverage, in a few words.
    """

    name: str
    arn: str
    passed: bool
    summary: str


def reports_of(tools: Aws, builds: Collection[str]) -> list[Report]:
    """Return the reports of these builds.

    Source: CodeBuild API reference, BatchGetBuilds and Report.
    """
    if not builds:
        return []
    client = tools.client("codebuild")
    described = client.batch_get_builds(ids=list(builds))["builds"]
    arns = [arn for build in described for arn in build.get("reportArns", [])]
    return (
        [_report(report) for report in client.batch_get_reports(reportArns=arns)["reports"]] if arns else []
    )


def _report(report: dict[str, Any]) -> Report:
    name = report["reportGroupArn"].partition("report-group/")[2]
    if report["type"] == "CODE_COVERAGE":
        summary = f"{report['codeCoverageSummary']['lineCoveragePercentage']:.0f}% of lines covered"
    else:
        counts = report["testSummary"]["statusCounts"]
        summary = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
    return Report(name, report["arn"], report["status"] == "SUCCEEDED", summary)
