"""The reports of an audit: one JSON for each check, and JUnit over all of them, as CodeBuild shows it.

A check that could not be made is an error there, or a skipped test where that was accepted: in neither case
does it look like a pass.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from pipelines.supply_chain.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pipelines.supply_chain.verdict import Verdict

JUNIT: Final = "audit.xml"


def write(folder: Path, verdicts: Mapping[str, Verdict], accepted: Collection[str]) -> None:
    """Write the reports of these checks; those of other checks stay as they are.

    Args:
        folder: Where they go.
        verdicts: The checks' answers by name.
        accepted: Names of checks that may stay unmade.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, verdict in verdicts.items():
        report = {
            "check": name,
            "outcome": verdict.outcome.value,
            "said": verdict.said,
            "findings": list(verdict.findings),
            "details": verdict.details,
        }
        (folder / f"{name}.json").write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    (folder.parent / JUNIT).write_text(_junit(verdicts, accepted), encoding="utf-8")


def _junit(verdicts: Mapping[str, Verdict], accepted: Collection[str]) -> str:
    suite = ET.Element("testsuite", name="audit", tests=str(len(verdicts)))
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for name, verdict in verdicts.items():
        case = ET.SubElement(suite, "testcase", classname="audit", name=name, time="0")
        kind = _kind(verdict, accepted=name in accepted)
        if kind:
            counts[kind] += 1
            told = ET.SubElement(case, kind, message=f"{verdict.outcome.value}: {verdict.said}")
            told.text = "\n".join(verdict.findings)
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _kind(verdict: Verdict, *, accepted: bool) -> str:
    if verdict.outcome is Outcome.NOT_CHECKED:
        return "skipped" if accepted else "error"
    return "failure" if verdict.outcome is Outcome.FAILED else ""
