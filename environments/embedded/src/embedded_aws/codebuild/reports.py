"""Reports of builds: what the buildspec names is parsed and kept with its report group.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.reports

Reports in the formats that CodeBuild reads: test cases as JUnit's XML, coverage as Cobertura's XML.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from botocore.exceptions import ClientError

from embedded_aws.codebuild import outputs
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope

_KIND = "codebuild-report"
_TESTS, _COVERAGE = {"JUNITXML"}, {"COBERTURAXML"}


class ReportUnreadable(Exception):  # noqa: N818 - it says what happened
    """A report of the buildspec cannot be made."""


def keep(scope: Scope, build: Json, declared: Json, source: Path, client: Any) -> list[str]:
    """Make the reports that a buildspec declares, after its last phase, failed or not.

    Args:
        scope: of the build.
        build: its record.
        declared: the buildspec's `reports`, by report group.
        source: where the files are.
        client: CodeBuild as the build's role, which makes groups that do not exist yet.

    Raises:
        ReportUnreadable: the format is not emulated, the file is not what it says, or the role may not.
    """
    return [_keep(scope, build, name, entry, source, client=client) for name, entry in declared.items()]


def _keep(scope: Scope, build: Json, name: str, entry: Json, source: Path, *, client: Any) -> str:
    form = str(entry.get("file-format", "JUNITXML")).upper()
    if form not in _TESTS | _COVERAGE:
        raise ReportUnreadable(f"Reports of format {form} are not emulated here.")
    files = outputs.chosen(entry, source)
    group = name if name.startswith("arn:") else _ensure(scope, build, name, form, client)
    report: Json = {
        "arn": f"{group.replace(':report-group/', ':report/')}:{api.new_id()}",
        "type": "TEST" if form in _TESTS else "CODE_COVERAGE",
        "name": f"{build['projectName']}-{build['id'].partition(':')[2]}",
        "reportGroupArn": group,
        "executionId": build["arn"],
        "created": api.now(),
        "exportConfig": {"exportConfigType": "NO_EXPORT"},
    }
    try:
        report |= _tests(files) if form in _TESTS else _coverage(files)
    except (SyntaxError, ValueError) as error:  # ElementTree's ParseError is a SyntaxError
        raise ReportUnreadable(f"Report {name}: {error}") from None
    runtime.current().store.put(_KIND, scope.account, scope.region, group, report["arn"], body=report)
    return str(report["arn"])


def _ensure(scope: Scope, build: Json, name: str, form: str, client: Any) -> str:
    """A name that is no ARN means `<project>-<name>`, made when it is new."""
    full = f"{build['projectName']}-{name}"
    try:
        client.create_report_group(
            name=full,
            type="TEST" if form in _TESTS else "CODE_COVERAGE",
            exportConfig={"exportConfigType": "NO_EXPORT"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise ReportUnreadable(error.response["Error"]["Message"]) from None
    return scope.arn("codebuild", f"report-group/{full}")


def _tests(files: dict[str, Path]) -> Json:
    cases = [case for file in files.values() for case in read_cases(file)]
    counts = {
        status: sum(case["status"] == status for case in cases)
        for status in sorted({c["status"] for c in cases})
    }
    bad = counts.get("FAILED", 0) + counts.get("ERROR", 0)
    return {
        "status": "FAILED" if bad else "SUCCEEDED" if cases else "INCOMPLETE",
        "testCases": cases,
        "testSummary": {
            "total": len(cases),
            "statusCounts": counts,
            "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
        },
    }


def _coverage(files: dict[str, Path]) -> Json:
    covered = [file for report in files.values() for file in covered_files(report)]
    return {
        "status": "SUCCEEDED" if covered else "INCOMPLETE",
        "codeCoverages": covered,
        "codeCoverageSummary": coverage_summary(covered),
    }


def batch_get(scope: Scope, request: Json) -> Json:
    """BatchGetReports."""
    reports = {
        report["arn"]: report for report in runtime.current().store.all(_KIND, scope.account, scope.region)
    }
    return {
        "reports": [reports[arn] for arn in request["reportArns"] if arn in reports],
        "reportsNotFound": [arn for arn in request["reportArns"] if arn not in reports],
    }


def of_group(scope: Scope, request: Json) -> Json:
    """ListReportsForReportGroup, newest first."""
    reports = runtime.current().store.all(_KIND, scope.account, scope.region, request["reportGroupArn"])
    arns = [report["arn"] for report in reversed(reports)]
    return api.page("reports", arns, request, refusal="InvalidInputException")


def test_cases(scope: Scope, request: Json) -> Json:
    """DescribeTestCases."""
    report = _one(scope, request["reportArn"])
    status = (request.get("filter") or {}).get("status")
    return {
        "testCases": [
            {**case, "reportArn": report["arn"]}
            for case in report.get("testCases", [])
            if status in (None, case["status"])
        ]
    }


def code_coverages(scope: Scope, request: Json) -> Json:
    """DescribeCodeCoverages."""
    report = _one(scope, request["reportArn"])
    return {
        "codeCoverages": [{**file, "reportARN": report["arn"]} for file in report.get("codeCoverages", [])]
    }


def delete(scope: Scope, request: Json) -> Json:
    """DeleteReport."""
    reports = batch_get(scope, {"reportArns": [request["arn"]]})["reports"]
    for report in reports:
        runtime.current().store.delete(
            _KIND, scope.account, scope.region, report["reportGroupArn"], report["arn"]
        )
    return {}


def _one(scope: Scope, arn: str) -> Json:
    reports: list[Json] = batch_get(scope, {"reportArns": [arn]})["reports"]
    if not reports:
        raise ApiError("ResourceNotFoundException", f"Report does not exist: {arn}")
    return reports[0]


def read_cases(file: Path) -> list[Json]:
    """Read the test cases of a JUnit file, as CodeBuild's API tells them; durations in nanoseconds."""
    root = ElementTree.parse(file).getroot()  # noqa: S314 - written by the build a moment ago
    return [_case(case) for case in root.iter("testcase")]


def _case(case: ElementTree.Element) -> Json:
    status, message = "SUCCEEDED", ""
    for child, name in (("failure", "FAILED"), ("error", "ERROR"), ("skipped", "SKIPPED")):
        element = case.find(child)
        if element is not None:
            status, message = name, element.get("message") or (element.text or "").strip()
            break
    return {
        "name": case.get("name", ""),
        "prefix": case.get("classname", ""),
        "status": status,
        "message": message,
        "durationInNanoSeconds": int(float(case.get("time") or 0) * 1_000_000_000),
    }


def covered_files(report: Path) -> list[Json]:
    """Read the coverage of every file of a Cobertura report, as CodeBuild's API tells it."""
    root = ElementTree.parse(report).getroot()  # noqa: S314 - written by the build a moment ago
    return [_file(element) for element in root.iter("class")]


def _file(element: ElementTree.Element) -> Json:
    lines = list(element.iterfind("lines/line"))
    covered = sum(int(line.get("hits", "0")) > 0 for line in lines)
    branches = [_branches(line) for line in lines if line.get("branch") == "true"]
    taken, every = sum(b[0] for b in branches), sum(b[1] for b in branches)
    return {
        "filePath": element.get("filename", ""),
        "linesCovered": covered,
        "linesMissed": len(lines) - covered,
        "lineCoveragePercentage": _percentage(covered, len(lines)),
        "branchesCovered": taken,
        "branchesMissed": every - taken,
        "branchCoveragePercentage": _percentage(taken, every),
    }


def coverage_summary(covered: list[Json]) -> Json:
    """Add files up: {linesCovered, linesMissed, lineCoveragePercentage}, and the same of branches."""
    total: Json = {name: sum(file[name] for file in covered) for name in _COUNTS}
    lines = total["linesCovered"] + total["linesMissed"]
    branches = total["branchesCovered"] + total["branchesMissed"]
    total["lineCoveragePercentage"] = _percentage(total["linesCovered"], lines)
    total["branchCoveragePercentage"] = _percentage(total["branchesCovered"], branches)
    return total


_COUNTS = ("linesCovered", "linesMissed", "branchesCovered", "branchesMissed")


def _branches(line: ElementTree.Element) -> tuple[int, int]:
    """Read `50% (1/2)`."""
    taken, _, every = line.get("condition-coverage", "").rpartition("(")[2].rstrip(")").partition("/")
    return int(taken or 0), int(every or 0)


def _percentage(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
