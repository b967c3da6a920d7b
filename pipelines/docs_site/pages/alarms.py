"""The alarms of a payments stack, each with its runbook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, lines, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.docs_site.drift import Drift
    from pipelines.docs_site.stacks import Stack

_RUNBOOK: Final = re.compile(r"^(.*) Runbook: docs/(operations/runbooks/[a-z-]+\.md)$")
_SOURCE: Final = "templates/capabilities/alarm_metrics.py"
_RUNBOOKS: Final = "operations/runbooks"


def alarms_page(payments: Stack, docs: Path, drift: Drift) -> str:
    """Return the page of alarms; an alarm without a runbook, or the reverse, is drift."""
    judges = {
        shown(alarm).strip("${}")
        for alias in payments.of_type("AWS::StepFunctions::StateMachineAlias").values()
        for alarm in alias.get("DeploymentPreference", {}).get("Alarms", [])
    }
    rows, named = [], set()
    index = (docs / _RUNBOOKS / "index.md").read_text(encoding="utf-8")
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    every = {name: alarm for kind in kinds for name, alarm in payments.of_type(kind).items()}
    for name, alarm in every.items():
        meaning, runbook = _described(name, alarm, drift)
        named.add(runbook)
        if runbook and not (docs / runbook).is_file():
            drift.note(f"The alarm {name} of {_SOURCE} has no runbook: write docs/{runbook}.")
        elif runbook and f"({runbook.rpartition('/')[2]})" not in index:
            drift.note(f"The alarm {name} of {_SOURCE} is missing in docs/{_RUNBOOKS}/index.md.")
        judged = "stops and rolls back a deployment" if name in judges else ""
        rows.append([f"[{name}](../{runbook})", prose(meaning), _rings(alarm), judged])
    for path in sorted((docs / _RUNBOOKS).glob("*.md")):
        runbook = f"{_RUNBOOKS}/{path.name}"
        if path.name != "index.md" and runbook not in named:
            drift.note(f"docs/{runbook} is the runbook of no alarm of {_SOURCE}.")
    return page(
        "Alarms",
        [_SOURCE],
        "Each leads to its runbook. A minute without orders is quiet, not broken.\n",
        table(["Alarm", "What it means", "Fires", "In a deployment"], rows),
    )


def _described(name: str, alarm: dict[str, Any], drift: Drift) -> tuple[str, str]:
    described = _RUNBOOK.match(alarm.get("AlarmDescription", ""))
    if described is None:
        drift.note(f"The alarm {name} of {_SOURCE} names no runbook in docs/{_RUNBOOKS}.")
        return "", ""
    return described.group(1), described.group(2)


def _rings(alarm: dict[str, Any]) -> str:
    if "AlarmRule" in alarm:
        return "when any other alarm does"
    minutes = alarm["EvaluationPeriods"]
    during = f"{minutes} minutes in a row" if minutes > 1 else "a minute"
    computed = alarm.get("Metrics")
    what = (
        code(computed[0]["Expression"])
        if computed
        else code(f"{shown(alarm['Namespace'])} {alarm['MetricName']}")
    )
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic") or ""
    measured = f"{what} {statistic}".strip()
    return lines([measured, f"greater than {alarm['Threshold']:g}, {during}"])
