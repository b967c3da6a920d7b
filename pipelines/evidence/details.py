"""The details below the evidence's first screen, each folded under what it comes down to."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pipelines.evidence import summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.evidence.gather import Evidence


def html(evidence: Evidence) -> str:
    """Every section, in the order that an approver asks."""
    new = sum(not one.released for one in evidence.commits)
    sections = [
        ("Commits since the last release", str(new), _commits(evidence)),
        ("What changes in production", evidence.counted_changes, _changes(evidence)),
        ("Tests", summary.tests_of(evidence), _tests(evidence)),
        ("Smoke in staging", summary.smoke_of(evidence), _smoke(evidence)),
        ("Drift in production", summary.drift_of(evidence), _drift(evidence)),
        ("Cost", f"{evidence.dollars:+.2f} USD a month", _cost(evidence)),
        ("Packages", f"{len(evidence.digests)}, byte for byte what staging runs", _digests(evidence)),
    ]
    return "".join(
        f"<details><summary>{escape(name)} <span>{escape(said)}</span></summary>{body}</details>"
        for name, said, body in sections
    )


def _commits(evidence: Evidence) -> str:
    rows = [
        (
            one.identifier[:12],
            one.message,
            one.at.isoformat(sep=" ", timespec="minutes"),
            "in production" if one.released else "",
        )
        for one in evidence.commits
    ]
    return _table(("commit", "message", "since", ""), rows, code=(0,))


def _changes(evidence: Evidence) -> str:
    words = {"yes": "replaced", "perhaps": "perhaps replaced", "no": ""}
    rows = [
        (
            change.resource,
            change.action,
            words[change.replacement],
            change.type,
            ", ".join(change.properties),
            change.stack,
        )
        for stack in evidence.stacks
        for change in stack.changes
    ]
    return _table(("resource", "what", "", "type", "properties", "stack"), rows)


def _tests(evidence: Evidence) -> str:
    failed = evidence.tests.failed if evidence.tests else ()
    listed = "".join(f"<li class='high'><code>{escape(name)}</code></li>" for name in failed)
    said = [
        summary.tests_of(evidence),
        summary.folders_of(evidence),
        f"Checked: {summary.checked_of(evidence)}.",
    ]
    told = "".join(f"<p>{escape(line)}</p>" for line in said if line)
    return told + (f"<ol>{listed}</ol>" if listed else "")


def _smoke(evidence: Evidence) -> str:
    report = evidence.smoke
    rows = [("passed" if check.ok else "FAILED", check.name, check.detail) for check in report.checks]
    why = "" if report.passed else f"<p>{escape(f'{report.error} {report.cause}'.strip())}</p>"
    return f"{why}{_table(('', 'check', 'seen'), rows)}<p><code>{escape(report.execution)}</code></p>"


def _drift(evidence: Evidence) -> str:
    rows = [(one.stack, ", ".join(one.drifted) or "as deployed", one.unknown) for one in evidence.drift]
    return _table(("stack", "changed by hand", "not known because"), rows)


def _cost(evidence: Evidence) -> str:
    return (
        f"<p>{evidence.dollars:+.2f} USD a month, by list prices, for what is paid by its being there. "
        "Calls, seconds and bytes are paid by use, and no change set says how much of it there will be.</p>"
    )


def _digests(evidence: Evidence) -> str:
    return _table(("function", "SHA-256"), evidence.digests.items(), code=(1,))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], code: Sequence[int] = ()) -> str:
    """A table; on a phone each row is a card, and each cell says what it is."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, column, code=number in code)
            for number, (column, value) in enumerate(zip(columns, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return "<p>None.</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{table}</div>'


def _cell(value: str, column: str, *, code: bool) -> str:
    mark = f' class="{value}"' if value in {"passed", "FAILED"} else ""
    said = escape(value)
    return f'<td data-is="{escape(column)}"{mark}>{f"<code>{said}</code>" if code and said else said}</td>'
