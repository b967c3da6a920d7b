"""Test reports in JUnit's XML."""

from pathlib import Path
from xml.etree import ElementTree

from embedded_aws.codesuite.scope import Json


def cases(file: Path) -> list[Json]:
    """Read the test cases of a JUnit file, as CodeBuild's API tells them; durations in nanoseconds."""
    root = ElementTree.parse(file).getroot()  # noqa: S314 - written by the build a moment ago
    return [_case(case) for case in root.iter("testcase")]


def _case(case: ElementTree.Element) -> Json:
    status, message = "SUCCEEDED", ""
    for child, name in (("failure", "FAILED"), ("error", "ERROR"), ("skipped", "SKIPPED")):
        found = case.find(child)
        if found is not None:
            status, message = name, found.get("message") or (found.text or "").strip()
            break
    return {
        "name": case.get("name", ""),
        "prefix": case.get("classname", ""),
        "status": status,
        "message": message,
        "durationInNanoSeconds": int(float(case.get("time") or 0) * 1_000_000_000),
    }
