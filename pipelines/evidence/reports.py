"""Results of tests, coverage and smoke: read from their reports, and from CodeBuild's report groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

from pipelines.core.refusals import Refused
from pipelines.orders import smoke

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.build.check_cache import CheckRecord
    from pipelines.orders.smoke import SmokeReport


@dataclass(frozen=True, slots=True)
class Suite:
    """The results in a test report.

    Attributes:
        ran: How many tests ran.
        skipped: How many did not.
        failed: The names of those that did not pass.
        seconds: How long they took together.
        folders: How many ran of each folder of `tests/`.
        properties: What tests counted, added up by name.
        reasons: How many did not run for which reason.
    """

    ran: int
    skipped: int
    failed: tuple[str, ...]
    seconds: float
    folders: Mapping[str, int] = field(default_factory=dict)
    properties: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the release that production runs had, to compare with.

    Attributes:
        tests: How many tests passed.
        coverage: The share of lines that they covered, from 0 to 1; none when it had no report.
    """

    tests: int
    coverage: float | None


def tests(path: Path) -> Suite | None:
    """Read a JUnit report; None when there is no such file."""
    root = _parsed(path)
    if root is None:
        return None
    cases = list(root.iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case.find("skipped") for case in cases if case.find("skipped") is not None]
    ran = [case for case in cases if case.find("skipped") is None]
    names = tuple(f"{case.get('classname', '')}.{case.get('name', '')}" for case in failed)
    seconds = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    return Suite(
        len(ran),
        len(skipped),
        names,
        seconds,
        Counter(map(_folder, ran)),
        _properties(ran),
        Counter(str(reason.get("message", "")) for reason in skipped),
    )


def _properties(cases: Iterable[Any]) -> Counter[str]:
    """Add up what tests counted; a property that is no number counts nothing."""
    counted = Counter[str]()
    for case in cases:
        for each in case.iter("property"):
            if str(each.get("value", "")).isdecimal():
                counted[each.get("name")] += int(each.get("value"))
    return counted


def not_run(tests: Path, *reports: Path) -> list[str]:
    """Return the outermost folders of tests of which no JUnit report names any, as `pipelines/setup`.

    None are named without a report.
    """
    roots = [root for root in map(_parsed, reports) if root is not None]
    if not roots:
        return []
    cases = [case for root in roots for case in root.iter("testcase") if case.find("skipped") is None]
    modules = [str(case.get("classname", "")).split(".")[1:] for case in cases]
    ran = {tuple(parts[:length]) for parts in modules for length in range(1, len(parts) + 1)}
    return list(_folders(tests, (), ran))


def _folders(tests: Path, inside: tuple[str, ...], ran: Collection[tuple[str, ...]]) -> Iterator[str]:
    for folder in sorted(path for path in tests.iterdir() if any(path.rglob("test_*.py"))):
        name = (*inside, folder.name)
        if name in ran:
            yield from _folders(folder, name, ran)
        else:
            yield "/".join(name)


def _folder(case: Any) -> str:
    """`unit` of `tests.unit.lambdas.test_money`."""
    return [*str(case.get("classname", "")).split("."), "", ""][1]


def coverage(path: Path) -> float | None:
    """Read the share of covered lines from a Cobertura report; None when there is no such file."""
    root = _parsed(path)
    return None if root is None else float(root.get("line-rate", 0))


def checked_of(record: CheckRecord | None) -> str:
    """Return when and by which build a source was checked, in a line."""
    if record is None:
        return "the report does not say when it was checked"
    by = f" by {record.build}" if record.build else ""
    how = "the same source passed before" if record.reused else "in this build"
    return f"{how}, {record.at}{by}, in {record.seconds:.0f} s"


def smoke_of(aws: Aws, execution: str) -> SmokeReport:
    """Return the report of a smoke execution."""
    return smoke.report(dict(aws.stepfunctions.describe_execution(executionArn=execution)))


def junit(report: SmokeReport, suite: str) -> str:
    """Return a smoke report as JUnit XML, as CodeBuild's report groups take it."""
    cases: list[Any] = []
    for check in report.checks:
        case = Xml.Element("testcase", classname=suite, name=check.name, time="0")
        if not check.ok:
            Xml.SubElement(case, "failure", message=check.detail)
        cases.append(case)
    if not report.passed and all(check.ok for check in report.checks):
        case = Xml.Element("testcase", classname=suite, name="smoke", time="0")
        Xml.SubElement(case, "error", message=f"{report.error} {report.cause}".strip() or "no checks")
        cases.append(case)
    failed = sum(len(case) for case in cases)
    root = Xml.Element("testsuite", name=suite, tests=str(len(cases)), failures=str(failed), time="0")
    root.extend(cases)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _parsed(path: Path) -> Any:
    try:
        return Xml.parse(path).getroot()  # noqa: S314 - our own build's report
    except FileNotFoundError:
        return None
    except Xml.ParseError as error:
        raise Refused(f"{path} is no report: {error}") from error


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
