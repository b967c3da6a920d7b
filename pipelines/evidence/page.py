"""The evidence as one HTML file: no script, no font, nothing from elsewhere; one screen of summary first."""

from __future__ import annotations

from collections import Counter
from html import escape
from string import Template
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from pipelines.evidence import details, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.evidence.gather import Evidence
    from pipelines.evidence.risks import Risk

_FRAME: Final = ROOT / "pipelines" / "evidence" / "page.html"
_CLASSES: Final = {"reject": "bad", "look closely": "care", "looks fine": "good"}
_FIRST: Final = 3
"""Risks on the first screen; the others are one tap away."""


def html(evidence: Evidence) -> str:
    """The whole page."""
    return Template(_FRAME.read_text(encoding="utf-8")).substitute(
        verdict=escape(evidence.verdict),
        tone=_CLASSES[evidence.verdict],
        problems=escape("; ".join(evidence.problems) or evidence.counted_changes),
        commit=escape(evidence.commit[:12]),
        at=escape(evidence.at.isoformat(sep=" ", timespec="minutes")),
        execution=escape(evidence.execution),
        facts=_facts(evidence),
        risks=_risks(evidence),
        details=details.html(evidence),
    )


def _facts(evidence: Evidence) -> str:
    pairs = [
        ("Risks", _by_severity(evidence.risks)),
        ("Tests", summary.tests_of(evidence)),
        ("Smoke", f"{summary.smoke_of(evidence)} in staging"),
        ("Drift", summary.drift_of(evidence)),
        ("Cost", f"{evidence.dollars:+.2f} USD a month for what stands there"),
        *([("Changes", evidence.counted_changes)] if evidence.problems else []),
    ]
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)


def _risks(evidence: Evidence) -> str:
    if not evidence.risks:
        return "<p>None found: nothing is replaced or deleted, nobody may more, nothing is let in.</p>"
    first, rest = evidence.risks[:_FIRST], evidence.risks[_FIRST:]
    more = f"<details><summary>{len(rest)} more</summary>{_listed(rest)}</details>" if rest else ""
    return f"{_listed(first)}{more}"


def _by_severity(risks: Iterable[Risk]) -> str:
    counted = Counter(risk.severity.name.lower() for risk in risks)
    return ", ".join(f"{count} {severity}" for severity, count in counted.items()) or "none found"


def _listed(risks: Iterable[Risk]) -> str:
    items = [
        f'<li class="{risk.severity.name.lower()}"><b>{escape(risk.severity.name.lower())} · '
        f"{escape(risk.kind)}</b> {escape(risk.what)} "
        f'<span class="place"><code>{escape(risk.place)}</code></span></li>'
        for risk in risks
    ]
    return f"<ol>{''.join(items)}</ol>"
