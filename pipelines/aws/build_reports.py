"""What builds reported: tests and coverage, as CodeBuild's report groups keep them."""

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
        said: What it says in a few words.
    """

    name: str
    arn: str
    passed: bool
    said: str


def of_builds(tools: Aws, builds: Collection[str]) -> list[Report]:
    """The reports of these builds.

    Source: CodeBuild API reference, BatchGetBuilds and Report.
    """
    if not builds:
        return []
    client = tools.client("codebuild")
    found = client.batch_get_builds(ids=list(builds))["builds"]
    arns = [arn for build in found for arn in build.get("reportArns", [])]
    return [_report(one) for one in client.batch_get_reports(reportArns=arns)["reports"]] if arns else []


def _report(one: dict[str, Any]) -> Report:
    name = one["reportGroupArn"].partition("report-group/")[2]
    if one["type"] == "CODE_COVERAGE":
        said = f"{one['codeCoverageSummary']['lineCoveragePercentage']:.0f}% of lines covered"
    else:
        counts = one["testSummary"]["statusCounts"]
        said = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
    return Report(name, one["arn"], one["status"] == "SUCCEEDED", said)
