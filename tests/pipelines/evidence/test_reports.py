"""Reports are read as their tools write them, and smoke is written as CodeBuild's report groups take it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pytest

from pipelines.core.refusals import Refused
from pipelines.evidence import reports
from pipelines.orders.smoke import SmokeCheck, SmokeReport

if TYPE_CHECKING:
    from pathlib import Path

_JUNIT = """<testsuites><testsuite time="1.5">
<testcase classname="tests.unit.test_money" name="adds"/>
<testcase classname="tests.unit.test_money" name="fails"><failure message="no"/></testcase>
<testcase classname="tests.site.test_pages" name="breaks"><error message="no"/></testcase>
<testcase classname="tests.site.test_pages" name="later"><skipped/></testcase>
</testsuite><testsuite time="0.5"/></testsuites>"""


def _smoke(passed: bool, *checks: SmokeCheck) -> SmokeReport:
    return SmokeReport("arn:run", passed, list(checks), "Smoke", "order lost")


def test_a_test_report_tells_what_ran_and_what_did_not_pass(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    assert reports.tests(report) is None
    report.write_text(_JUNIT)
    suite = reports.tests(report)
    assert suite is not None
    assert (suite.ran, suite.skipped, suite.seconds) == (3, 1, 2.0)
    assert suite.failed == ("tests.unit.test_money.fails", "tests.site.test_pages.breaks")
    assert dict(suite.folders) == {"unit": 2, "site": 1}


def test_the_folders_of_which_no_test_ran_are_named_the_outermost_alone(tmp_path: Path) -> None:
    # Given a source with folders of tests, of which a build ran some
    for name in ("unit/test_money", "unit/deep/test_more", "site/test_pages", "db/real/test_it", "data/one"):
        path = tmp_path / "tests" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    report = tmp_path / "tests.xml"
    assert reports.not_run(tmp_path / "tests", report) == []
    report.write_text(_JUNIT)
    # Then those are named that it left out, within folders that it ran, too
    assert reports.not_run(tmp_path / "tests", report) == ["db", "unit/deep"]


def test_coverage_is_a_share_and_none_without_a_report(tmp_path: Path) -> None:
    report = tmp_path / "coverage.xml"
    assert reports.coverage(report) is None
    report.write_text('<coverage line-rate="0.93"/>')
    assert reports.coverage(report) == pytest.approx(0.93)


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    report.write_text("<testsuite>")
    with pytest.raises(Refused, match=r"tests\.xml is no report"):
        reports.tests(report)


def test_the_reports_of_builds_are_told_in_a_few_words() -> None:
    # Source: CodeBuild API reference, BatchGetReports
    arn = "arn:aws:codebuild:eu-central-1:444444444444:report-group/Build-tests"
    tests = {
        "type": "TEST",
        "reportGroupArn": arn,
        "arn": f"{arn}:1",
        "status": "FAILED",
        "testSummary": {"statusCounts": {"SUCCEEDED": 3, "FAILED": 1, "SKIPPED": 0}},
    }
    coverage = {
        "type": "CODE_COVERAGE",
        "reportGroupArn": arn.replace("tests", "coverage"),
        "arn": f"{arn}:2",
        "status": "SUCCEEDED",
        "codeCoverageSummary": {"lineCoveragePercentage": 92.6},
    }
    client = SimpleNamespace(
        batch_get_builds=lambda ids: {"builds": [{"reportArns": ids}, {}]},
        batch_get_reports=lambda reportArns: {"reports": [tests, coverage]},  # noqa: N803 - the API's name
    )
    tools: Any = SimpleNamespace(client=lambda _: client)
    found = reports.reports_of(tools, ["build:1"])
    assert [(each.name, each.passed, each.summary) for each in found] == [
        ("Build-tests", False, "3 succeeded, 1 failed"),
        ("Build-coverage", True, "93% of lines covered"),
    ]
    assert reports.reports_of(tools, []) == []


def test_smoke_that_failed_without_a_failed_check_is_an_error_of_its_own() -> None:
    passed = Xml.fromstring(  # noqa: S314 - our own
        reports.junit(_smoke(True, SmokeCheck("stock", True, "")), "smoke.staging")
    )
    assert (passed.get("tests"), passed.get("failures"), passed.find(".//failure")) == ("1", "0", None)
    failed = Xml.fromstring(  # noqa: S314 - our own
        reports.junit(_smoke(False, SmokeCheck("stock", False, "one too few")), "smoke.staging")
    )
    assert (failed.get("tests"), failed.get("failures"), failed.find(".//error")) == ("1", "1", None)
    lost = Xml.fromstring(reports.junit(_smoke(False), "smoke.staging"))  # noqa: S314 - our own
    error = lost.find(".//error")
    assert error is not None
    assert error.get("message") == "Smoke order lost"
