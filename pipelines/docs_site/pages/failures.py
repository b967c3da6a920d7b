"""What can go wrong: the error taxonomy, and the alarms of a payments stack with their runbooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from payment_data import error_names, errors
from pipelines.docs_site.markdown import code, codes, lines, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.docs_site.markdown import Drift
    from pipelines.docs_site.stacks import Stack


_RUNBOOK: Final = re.compile(
    r"^(.*) Runbook: (?:docs|https://\S+)/(operations/runbooks/[a-z-]+)\.(?:md|html)$"
)
_ALARMS_SOURCE: Final = "templates/capabilities/alarm_metrics.py"
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
            drift.note(f"The alarm {name} of {_ALARMS_SOURCE} has no runbook: write docs/{runbook}.")
        elif runbook and f"({runbook.rpartition('/')[2]})" not in index:
            drift.note(f"The alarm {name} of {_ALARMS_SOURCE} is missing in docs/{_RUNBOOKS}/index.md.")
        judged = "stops and rolls back a deployment" if name in judges else ""
        rows.append([f"[{name}](../{runbook})", prose(meaning), _rings(alarm), judged])
    for path in sorted((docs / _RUNBOOKS).glob("*.md")):
        runbook = f"{_RUNBOOKS}/{path.name}"
        if path.name != "index.md" and runbook not in named:
            drift.note(f"docs/{runbook} is the runbook of no alarm of {_ALARMS_SOURCE}.")
    return page(
        "Alarms",
        [_ALARMS_SOURCE],
        "Each leads to its runbook. A minute without orders is quiet, not broken.\n",
        table(["Alarm", "What it means", "Fires", "In a deployment"], rows),
    )


def _described(name: str, alarm: dict[str, Any], drift: Drift) -> tuple[str, str]:
    described = _RUNBOOK.match(alarm.get("AlarmDescription", ""))
    if described is None:
        drift.note(f"The alarm {name} of {_ALARMS_SOURCE} names no runbook in docs/{_RUNBOOKS}.")
        return "", ""
    return described.group(1), f"{described.group(2)}.md"


def period_seconds(alarm: dict[str, Any]) -> int:
    """Return how long one of the periods is that a metric alarm looks at."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return int((stats[0] if stats else alarm)["Period"])


def _rings(alarm: dict[str, Any]) -> str:
    if "AlarmRule" in alarm:
        return "when any other alarm does"
    needed, window = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
    minutes = period_seconds(alarm) // 60
    periods = "minutes" if minutes == 1 else f"periods of {minutes} minutes"
    during = f"in {needed} of {window} {periods}"
    computed = alarm.get("Metrics")
    what = (
        code(computed[0]["Expression"])
        if computed
        else code(f"{shown(alarm['Namespace'])} {alarm['MetricName']}")
    )
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic") or ""
    measured = f"{what} {statistic}".strip()
    return lines([measured, f"greater than {alarm['Threshold']:g}, {during}"])


ERRORS_SOURCE: Final = "lambdas/payment_data/src/payment_data/errors.py"
ERRORS_PAGE: Final = "reference/errors.md"
_DONE: Final = {
    errors.Kind.BUSINESS: "Never retried; the order is undone.",
    errors.Kind.CONTRACT: "Never retried; the order is undone, and an alarm fires.",
    errors.Kind.NOT_APPLIED: "Nothing happened; retried with full jitter.",
    errors.Kind.UNKNOWN_OUTCOME: "It may have happened; asked again with the same key, then resolved.",
    errors.Kind.PENDING: "It is under way; asked again, for weeks.",
    errors.Kind.PARKED: "Waits for a person, who redrives it.",
}
_AWS: Final = {
    "Nothing happened; retried": [
        name for name in error_names.NOT_APPLIED_ERRORS if name not in errors.BY_NAME
    ],
    "It may have happened; asked again": [
        name for name in error_names.UNKNOWN_OUTCOME_ERRORS if name not in errors.BY_NAME
    ],
}


def error_facts(drift: Drift) -> dict[str, str]:
    """Return a table of each error's facts, by its name."""
    tables = {}
    for name, error in errors.BY_NAME.items():
        # A class without a docstring of its own has its parent's to show, which says nothing of it.
        own = error.__dict__.get("__doc__")
        meaning = drift.described(own, f"The error {name}", ERRORS_SOURCE, ERRORS_PAGE)
        rows = [
            ["Meaning", prose(meaning)],
            ["Kind", f"{error.kind.value}: {_DONE[error.kind]}"],
            ["HTTP", f"{error.status}, problem type {code(error.type_uri())}, title “{prose(error.title)}”"],
        ]
        tables[name] = table(["Fact", "Value"], rows)
    return tables


def errors_overview() -> str:
    """Return tables of all errors by kind, and of those that AWS itself reports."""
    rows = [
        [kind.value, done, ", ".join(f"[{name}](#{name.lower()})" for name in _names(kind))]
        for kind, done in _DONE.items()
    ]
    ours = table(["Kind", "What a workflow does", "Errors"], rows)
    theirs = table(
        ["What a workflow does", "Errors that AWS reports"], [[k, codes(v)] for k, v in _AWS.items()]
    )
    return f"{ours}\n{theirs}"


def _names(kind: errors.Kind) -> list[str]:
    return [name for name, error in errors.BY_NAME.items() if error.kind is kind]
