"""Figures in prose: `{{ crash_matrix.cells }}` is read from docs/data or from the code, never typed by hand.

`docs/data/crash-matrix.json` is `crash_matrix`; what follows are its keys. What was measured says whether it
is about the source that is here.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from environments import schema, tools
from payment_data import money
from pipelines.core.repository import ROOT
from pipelines.docs_site.markdown import code, table
from pipelines.docs_site.pages import cost, failures, promotion, workflows
from templates.capabilities import api_gateway
from templates.definitions import payment_workflow, tasks, time_budget

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.docs_site.markdown import Drift
    from pipelines.docs_site.stacks import Stack

_GOLDEN_FILE: Final = "tests/templates/figures.txt"
_USED: Final = re.compile(r"\{\{\s*([a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+)\s*\}\}")
_FENCED: Final = re.compile(r"^( *```).*?^\1", re.MULTILINE | re.DOTALL)


def filled(page: str, text: str, reports: Mapping[str, Any], drift: Drift) -> str:
    """Return the page with its figures filled in; a figure that no report has is drift."""

    def figure(used: re.Match[str]) -> str:
        value: Any = reports
        for key in used.group(1).split("."):
            value = _inside(value, key)
        if value is None or isinstance(value, dict | list):
            name = used.group(1).partition(".")[0].replace("_", "-")
            drift.note(
                f"docs/{page} names the figure {used.group(1)}, which docs/data/{name}.json does not have."
            )
            return used.group()
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    for wrong in re.findall(r"\{\{.*", _FENCED.sub("", _USED.sub("", text))):
        drift.note(f"docs/{page} has braces that name no figure: {wrong}")
    return _USED.sub(figure, text)


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return value.get(key) if isinstance(value, dict) else None


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def from_code(stacks: Mapping[str, Stack]) -> dict[str, Any]:
    """Return what the code itself knows, by name, so that nobody types what a definition says.

    `promotion.bake_minutes` is the tools file's; `workflow.deadline_minutes` the definition's.
    """
    budget, settings, prod = time_budget.figures(), tools.load(), schema.load("prod")
    drawn = workflows.happy_and_undone(payment_workflow.definition())
    return {
        "promotion": settings.model_dump() | {"traffic": prod.deployment.model_dump()},
        "workflow": {
            "deadline_minutes": budget["deadline_seconds"] // _MINUTE,
            "task_seconds": tasks.TASK_SECONDS,
            "forward_minutes": round(budget["forward"]["seconds"] / _MINUTE),
            "forward_sure_seconds": int(budget["forward_sure_seconds"]),
            "step_minutes": round(budget["states"][payment_workflow.RESERVE]["seconds"] / _MINUTE),
            "bank_days": round(budget["forward"]["waiting_seconds"] / _DAY),
            "undo_sure_minutes": int(budget["undo_sure_seconds"] / _MINUTE),
            "undo_hours": f"{budget['states'][payment_workflow.REFUND]['seconds'] / _HOUR:.1f}",
        },
        "limits": _of_an_order()
        | {
            "requests_per_second": api_gateway.REQUESTS_PER_SECOND,
            "burst": api_gateway.BURST,
            "amount": f"{money.format_major(money.MAX_AMOUNT, prod.currency)} {prod.currency}",
        },
        "picture": {
            "order": f"flowchart TB\n{drawn}".rstrip(),
            "release": "\n".join(["flowchart TB", *promotion.release_chain(stacks["pipelines"])]),
        },
        "cost": cost.figures(stacks),
        "alarm": _alarms(stacks["payments"]),
    }


def _alarms(payments: Stack) -> dict[str, dict[str, Any]]:
    """Return when each alarm rings, by name without `Alarm`: `when`, in words, and `over` which value."""
    return {
        name.removesuffix("Alarm"): {
            "when": f"{alarm['DatapointsToAlarm']} of the last {alarm['EvaluationPeriods']} minutes",
            "over": f"{alarm['Threshold']:g}",
        }
        for name, alarm in payments.of_type("AWS::CloudWatch::Alarm").items()
        if failures.period_seconds(alarm) == _MINUTE
    }


def _of_an_order() -> dict[str, Any]:
    """Return the limits of an order, from the data API's own document."""
    document = json.loads((ROOT / "docs" / "data" / "openapi.json").read_text(encoding="utf-8"))
    shapes = document["components"]["schemas"]
    return {
        "lines": shapes["NewOrder"]["properties"]["lines"]["maxItems"],
        "quantity": shapes["Line"]["properties"]["quantity"]["maximum"],
    }


_PROVEN: Final = ("lambdas", "templates/definitions", "tests/crash_matrix")
_PICTURED: Final = ("pipelines/console/html", "pipelines/console/static", "pipelines/evidence")
_SUFFIXES: Final = {".html", ".css", ".js"}


def published_results(folder: Path) -> dict[str, Any]:
    """Return the reports of a folder by name."""
    return {
        path.stem.replace("-", "_"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def crash_matrix_digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of functions, workflow and crash matrix."""
    total = hashlib.sha256()
    for path in sorted(path for folder in _PROVEN for path in (root / folder).rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:8]


def crash_matrix_age(reports: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return `proof.since` for pages: a sentence on the age of docs/data/crash-matrix.json."""
    report = reports.get("crash_matrix")
    if report is None:
        return {}
    same = report["source"] == crash_matrix_digest(root)
    age = (
        "nothing of that code has changed since"
        if same
        else "some of that code has changed since; `make crash-matrix` measures anew"
    )
    return {"proof": {"since": f"Measured on {report['date']}; {age}."}}


def threats(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Return docs/data/threat-model.json with its attempts as lists and what is possible as a table.

    Its shape: `refused` and `contained` as Markdown text, and whatever else the file holds as it is.
    """
    refused = [
        f"**Refused because {row['because']}.** Noticed by {row['noticed']}:\n\n"
        + "".join(f"- {tried}\n" for tried in row["tried"])
        for row in rows["refused"]
    ]
    contained = [(row["tried"], row["because"], row["noticed"]) for row in rows["contained"]]
    columns = ("tried", "reaches nothing because", "noticed by")
    return {**rows, "refused": "\n".join(refused), "contained": table(columns, contained)}


def mutants_table(results: Mapping[str, Any]) -> str:
    """Return docs/data/mutants.json as a table: how many changes of a room's code its quick tests notice."""
    rows = [
        (room, f"{result['killed']} of {result['tried']}", result["date"], code(result["source"]))
        for room, result in results.items()
    ]
    return table(("room", "noticed", "measured", "digest of its modules"), rows)


def templates_digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of the golden file, which changes with every template."""
    return hashlib.sha256((root / _GOLDEN_FILE).read_bytes()).hexdigest()[:8]


def template_mutants(result: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Return docs/data/template-mutants.json as the end of a sentence, `summary`: who noticed how many."""
    if not result:
        return {"summary": "not measured yet"}
    every, cloudformation, linters, nothing, failed, drawn = (
        f"{result[name]:,}"
        for name in (
            "mutants",
            "refused_by_cloudformation",
            "found_by_linters",
            "without_effect",
            "said_by_tests",
            "drawn",
        )
    )
    asked = f", and tests fail at {failed} of {drawn} of these" if result["drawn"] else ""
    age = "" if result["templates"] == templates_digest(root) else ", of earlier templates"
    return {
        "summary": f"of {every} CloudFormation refuses {cloudformation}, linters find {linters}, {nothing}"
        f" have no effect; all others change `{_GOLDEN_FILE}`, which a person reviews{asked}"
        f" ({result['date']}{age})"
    }


_HELD: Final = ("cases", "recorded", "documented", "ours")


def conformance(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return docs/data/conformance.json as its totals and a `table`: what was held against what."""
    areas = report.get("areas", {})
    rows = [
        (area, *(str(held[kind]) for kind in _HELD), ", ".join(held["compared"]))
        for area, held in areas.items()
    ]
    columns = ("area", "cases", "recorded of AWS", "documented by AWS", "ours", "compared with")
    totals = {kind: sum(held[kind] for held in areas.values()) for kind in _HELD}
    return {**totals, "table": table(columns, rows)}


def pictures_digest(root: Path) -> str:
    """Return the first 8 digits of the SHA-256 of what the console's pages are made from."""
    total = hashlib.sha256()
    for folder in _PICTURED:
        for path in sorted(path for path in (root / folder).rglob("*") if path.suffix in _SUFFIXES):
            total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:8]


def pictures_age(reports: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return `console.age` for pages: whether docs/assets shows the console as it is now."""
    same = reports.get("pictures", {}).get("console") == pictures_digest(root)
    age = "of the present source" if same else "of an earlier source; `make pictures` takes them anew"
    return {"age": f"Pictures {age}."}
