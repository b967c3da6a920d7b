"""The result of a check, and the reports of an audit: a JSON file each, and JUnit over all of them.

A check that could not be made is an error in JUnit, or a skipped test where that was accepted: in neither
case does it look like a pass.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

JUNIT: Final = "audit.xml"


class CheckStatus(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class CannotCheck(Exception):  # noqa: N818 - reads as what happened
    """A check could not look; the message says why."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        status: How it ended.
        summary: What was looked at, or why nothing could be, in a sentence.
        findings: What is wrong, a line each, sorted.
        details: Everything else that its report holds, for machines.
    """

    status: CheckStatus
    summary: str
    findings: tuple[str, ...] = ()
    details: Any = None


def result_of(summary: str, findings: Iterable[str], details: Any = None) -> CheckResult:
    """Return the result of a check that was made: passed when it has no findings."""
    unique = tuple(sorted(set(findings)))
    return CheckResult(CheckStatus.FAILED if unique else CheckStatus.PASSED, summary, unique, details)


def write_reports(folder: Path, results: Mapping[str, CheckResult], accepted: Collection[str]) -> None:
    """Write the reports of these checks; those of other checks stay as they are.

    Args:
        folder: Where they go: `<check>.json` each, and `audit.xml` beside the folder.
        results: The checks' results by name.
        accepted: Names of checks that may stay unmade.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        report = {
            "check": name,
            "status": result.status.value,
            "summary": result.summary,
            "findings": list(result.findings),
            "details": result.details,
        }
        (folder / f"{name}.json").write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    (folder.parent / JUNIT).write_text(_junit(results, accepted), encoding="utf-8")


def _junit(results: Mapping[str, CheckResult], accepted: Collection[str]) -> str:
    suite = ET.Element("testsuite", name="audit", tests=str(len(results)))
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for name, result in results.items():
        case = ET.SubElement(suite, "testcase", classname="audit", name=name, time="0")
        kind = _element(result, accepted=name in accepted)
        if kind:
            counts[kind] += 1
            element = ET.SubElement(case, kind, message=f"{result.status.value}: {result.summary}")
            element.text = "\n".join(result.findings)
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _element(result: CheckResult, *, accepted: bool) -> str:
    if result.status is CheckStatus.NOT_CHECKED:
        return "skipped" if accepted else "error"
    return "failure" if result.status is CheckStatus.FAILED else ""
