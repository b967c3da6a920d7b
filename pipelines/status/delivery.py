"""DORA's four measures of an environment over a window of time, and their place on the docs site.

https://dora.dev/guides/dora-metrics/. They come from what the release pipeline did in the stage of the
environment, and from nothing else: no incident tracker, no survey. `deployments.py` decides what counts. The
build of the docs site knows nothing of them, so the same source still gives the same bytes; they are put into
the built page while it is published, and beside it as JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused
from pipelines.status.deployments import Deployment, Emergency, History, assemble, emergencies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.aws.accounts import Aws

WINDOW: Final = timedelta(days=28)
"""Four whole weeks, so that weekends always weigh the same; the service level objective looks as far back."""
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Measures:
    """DORA's four measures; none where there was nothing to measure.

    Attributes:
        since: The window's begin.
        until: Its end, which is not part of it.
        deployments: How many deployments succeeded.
        per_week: Deployment frequency: how many of them in a week.
        changes: How many changes they brought for the first time.
        lead_time_seconds: Lead time for changes: the median from a change's authoring to its deployment.
        ended: How many deployments ended, well or not.
        failures: How many of those failed at first.
        failure_rate: Change failure rate: their share, 0 to 1.
        restored: How many failures the stage has recovered from.
        restore_seconds: Time to restore: the median from failure to restoration.
        emergencies: The releases that were taken past their deployment window.
    """

    since: datetime
    until: datetime
    deployments: int
    per_week: float
    changes: int
    lead_time_seconds: float | None
    ended: int
    failures: int
    failure_rate: float | None
    restored: int
    restore_seconds: float | None
    emergencies: tuple[Emergency, ...] = ()


def measure(deployments: Sequence[Deployment], until: datetime, window: timedelta = WINDOW) -> Measures:
    """Compute the four measures over a window.

    A deployment counts where its stage succeeded, a failure where it happened. A change that was deployed
    after a failure still counts once, from its authoring on.

    Args:
        deployments: What happened, in any order; what is outside the window does not count.
        until: The window's end.
        window: Its length.
    """
    since = until - window

    def inside(moment: datetime | None) -> bool:
        return moment is not None and since <= moment < until

    good = [deployment for deployment in deployments if inside(deployment.succeeded)]
    ended = [deployment for deployment in deployments if inside(deployment.failed or deployment.succeeded)]
    failures = [deployment for deployment in ended if deployment.failed is not None]
    leads = [
        (deployment.succeeded - at).total_seconds()
        for deployment in good
        if deployment.succeeded
        for at in deployment.committed
    ]
    outages = [
        (deployment.restored - deployment.failed).total_seconds()
        for deployment in failures
        if deployment.restored and deployment.failed
    ]
    return Measures(
        since=since,
        until=until,
        deployments=len(good),
        per_week=len(good) / (window / _WEEK),
        changes=len(leads),
        lead_time_seconds=median(leads) if leads else None,
        ended=len(ended),
        failures=len(failures),
        failure_rate=len(failures) / len(ended) if ended else None,
        restored=len(outages),
        restore_seconds=median(outages) if outages else None,
    )


_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_NOTHING: Final = "nothing to measure"


def described(measures: Measures) -> dict[str, str]:
    """Return each measure as a sentence, by its name."""
    unrestored = measures.failures - measures.restored
    lead, restore = duration(measures.lead_time_seconds), duration(measures.restore_seconds)
    still = f"{unrestored} not restored yet" if unrestored else ""
    return {
        "Deployment frequency": f"{measures.per_week:.1f} a week ({measures.deployments} in the window)",
        "Lead time for changes": f"{lead} (median of {measures.changes})" if lead else _NOTHING,
        "Change failure rate": _NOTHING
        if measures.failure_rate is None
        else f"{measures.failure_rate:.0%} ({measures.failures} of {measures.ended})",
        "Time to restore": ", ".join(
            part for part in (f"{restore} (median of {measures.restored})" if restore else "", still) if part
        )
        or _NOTHING,
        **(
            {"Emergency releases": "; ".join(map(_told, measures.emergencies))}
            if measures.emergencies
            else {}
        ),
    }


def _told(emergency: Emergency) -> str:
    return f"{emergency.at:{_DATE}} {emergency.who}: {emergency.why}"


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units, as 2 d 3 h; empty for none."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


STAGES: Final = {"staging": "Staging", "prod": "Production"}
"""The stage of the release pipeline that deploys each environment."""
_LONGEST_WAY: Final = timedelta(days=7)
"""How long before a window its first deployments may have begun: they wait for approval and their window."""

Json = dict[str, Any]


def measured(tools: Aws, pipeline: str, environment: str, until: datetime | None = None) -> Measures:
    """Return the measures of an environment over the window that ends at `until`, or now."""
    end = until or datetime.now(UTC)
    history, stage = _history(tools, pipeline, STAGES[environment], end - WINDOW), STAGES[environment]
    urgent = [urgent for urgent in emergencies(history) if end - WINDOW <= urgent.at < end]
    past_window = tuple(urgent) if environment == "prod" else ()
    return replace(measure(assemble(history, stage), end), emergencies=past_window)


def read(tools: Aws, pipeline: str, stage: str, since: datetime) -> list[Deployment]:
    """Return the deployments that a stage made since a moment, and some from before.

    CodePipeline keeps twelve months of history.
    """
    return assemble(_history(tools, pipeline, stage, since), stage)


def _history(tools: Aws, pipeline: str, stage: str, since: datetime) -> History:
    client, earliest = tools.client("codepipeline"), since - _LONGEST_WAY

    def listed(operation: str, key: str, **more: Any) -> list[Json]:
        pages = client.get_paginator(operation).paginate(pipelineName=pipeline, **more)
        return list(_until(earliest, (entry for page in pages for entry in page[key])))

    executions = "list_pipeline_executions", "pipelineExecutionSummaries"
    passed = listed(*executions, filter={"succeededInStage": {"stageName": stage}})
    return History(
        executions=listed(*executions),
        actions=listed("list_action_executions", "actionExecutionDetails"),
        rules=listed("list_rule_executions", "ruleExecutionDetails"),
        passed={entry["pipelineExecutionId"] for entry in passed},
    )


def _until(earliest: datetime, newest_first: Iterator[Json]) -> Iterator[Json]:
    for document in newest_first:
        if document["startTime"] < earliest:
            return
        yield document


PAGE: Final = "operations/delivery.html"
DATA: Final = "delivery.json"
_PLACE: Final = re.compile(r"(<!-- measures -->).*?(<!-- /measures -->)", re.DOTALL)
_DATE: Final = "%Y-%m-%d"


def write_page(folder: Path, environment: str, measures: Measures) -> None:
    """Write an environment's measures into a built site.

    Raises:
        Refused: The site has no place for them.
    """
    page = folder / PAGE
    built = page.read_text(encoding="utf-8") if page.is_file() else ""
    filled, places = _PLACE.subn(lambda place: place[1] + _table(environment, measures) + place[2], built)
    if places != 1:
        raise Refused(f"{PAGE} of {folder} has no place for the measures.", "make docs")
    page.write_text(filled, encoding="utf-8")
    document = {"environment": environment, **asdict(measures)}
    text = json.dumps(document, indent=2, default=lambda moment: moment.isoformat(timespec="seconds"))
    (folder / DATA).write_text(text + "\n", encoding="utf-8")


def _table(environment: str, measures: Measures) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in described(measures).items()
    )
    window = f"{measures.since:{_DATE}} to {measures.until:{_DATE}}"
    return (
        f"<p>Measured in <strong>{escape(environment)}</strong>, {window}, when this copy was published; "
        f'also as <a href="../{DATA}">JSON</a>.</p>'
        f"<table><thead><tr><th>measure</th><th>value</th></tr></thead><tbody>{rows}</tbody></table>"
    )
