"""Reports in the formats that CodeBuild reads: test cases as JUnit's XML, coverage as Cobertura's XML."""

from pathlib import Path
from xml.etree import ElementTree

from embedded_aws.core.api import Json


def test_cases(file: Path) -> list[Json]:
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
    """Add files up."""
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
