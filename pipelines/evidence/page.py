"""The evidence as one HTML file: no script, no font, nothing from elsewhere; one screen of summary first."""

from __future__ import annotations

from collections import Counter
from html import escape
from string import Template
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from pipelines.evidence import evidence as facts
from pipelines.evidence import money_path, reports
from pipelines.evidence.html_table import table
from pipelines.evidence.risks import new_grants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.evidence.evidence import Evidence
    from pipelines.evidence.exposure import Grant
    from pipelines.evidence.reports import Suite
    from pipelines.evidence.risks import Risk
    from pipelines.evidence.stack_changes import Drift

_FRAME: Final = ROOT / "pipelines" / "evidence" / "page.html"
_CLASSES: Final = {"reject": "bad", "look closely": "care", "looks fine": "good"}
_FIRST: Final = 3
"""Risks on the first screen; the others are one tap away."""


def html(evidence: Evidence) -> str:
    """Return the whole page."""
    return Template(_FRAME.read_text(encoding="utf-8")).substitute(
        recommendation=escape(evidence.recommendation),
        tone=_CLASSES[evidence.recommendation],
        problems=escape("; ".join(evidence.problems or evidence.unknown) or evidence.counted_changes),
        target=_target(evidence),
        answer=_answer(evidence),
        commit=escape(evidence.commit[:12]),
        at=escape(evidence.at.isoformat(sep=" ", timespec="minutes")),
        execution=escape(evidence.execution),
        facts=_facts(evidence),
        risks=_risks(evidence),
        details=_details(evidence),
    )


def _target(evidence: Evidence) -> str:
    target = evidence.target
    if not target.environment:
        return ""
    to = f"{target.product} to {target.environment}, account {target.account}, {target.region}"
    return f"<p>{escape(to)}</p>"


def _answer(evidence: Evidence) -> str:
    """Return how to answer: where it is asked, and the commands that can be pasted."""
    target = evidence.target
    link = target.link(evidence.execution)
    where = (
        f'<p>In the approval of <a href="{escape(link)}">this execution of {escape(target.pipeline)}</a>, in'
        " <code>payments console</code>, or with one of</p>"
        if link
        else "<p>In <code>payments console</code>, or with one of</p>"
    )
    commands = "\n".join(facts.answers("release", evidence.execution, target.endpoint))
    return f"{where}<pre>{escape(commands)}</pre>"


def _facts(evidence: Evidence) -> str:
    emergency = "past the deployment window; whoever approves says why, and it is added here"
    pairs = [
        *([("Emergency", emergency)] if evidence.emergency else []),
        ("Risks", _by_severity(evidence.risks)),
        ("Tests", facts.tests_of(evidence)),
        ("Money path", money_path.in_a_line(evidence.money_path)),
        ("Smoke", f"{facts.smoke_of(evidence)} in staging"),
        ("Drift", facts.drift_of(evidence)),
        ("Cost", f"{evidence.dollars:+.2f} USD a month, fixed"),
        *((stack.stack, "does not exist yet: " * stack.is_new + stack.counted) for stack in evidence.stacks),
    ]
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)


def _risks(evidence: Evidence) -> str:
    if not evidence.risks:
        return (
            "<p>None found: nothing new, replaced or deleted that could do harm, no permissions widened, no"
            " network opened.</p>"
        )
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


def _details(evidence: Evidence) -> str:
    """Return every section below the first screen, in the order that an approver asks."""
    new = sum(not commit.released for commit in evidence.commits)
    sections = [
        ("Commits since the last release", str(new), _commits(evidence)),
        ("What changes in production", evidence.counted_changes, _changes(evidence)),
        ("New permissions", f"of {sum(map(len, _new(evidence)))} resources", _permissions(evidence)),
        ("Tests", facts.tests_of(evidence), _tests(evidence)),
        ("Money path", money_path.in_a_line(evidence.money_path), _money_path(evidence)),
        ("Smoke in staging", facts.smoke_of(evidence), _smoke(evidence)),
        ("Drift in production", facts.drift_of(evidence), _drift(evidence)),
        ("Cost", f"{evidence.dollars:+.2f} USD a month", _cost(evidence)),
        ("Signed files", f"{len(evidence.digests)}, signed by the release pipeline", _digests(evidence)),
    ]
    return "".join(
        f"<details><summary>{escape(name)} <span>{escape(digest_line)}</span></summary>{body}</details>"
        for name, digest_line, body in sections
    )


def _commits(evidence: Evidence) -> str:
    released = next((commit.identifier for commit in evidence.commits if commit.released), "")
    between = f"{released[:12]}..{evidence.commit[:12]}" if released else evidence.commit[:12]
    every = (
        "<p>Each is the head of a push. All commits of the pushes:"
        f" <code>git log --oneline {escape(between)}</code></p>"
    )
    rows = [
        (
            commit.identifier[:12],
            commit.message,
            commit.at.isoformat(sep=" ", timespec="minutes"),
            "in production" if commit.released else "",
        )
        for commit in evidence.commits
    ]
    return every + table(("commit", "message", "since", ""), rows, code=(0,))


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
    return table(("resource", "what", "", "type", "properties", "stack"), rows)


def _new(evidence: Evidence) -> list[dict[str, list[Grant]]]:
    return [new_grants(stack) for stack in evidence.stacks]


def _permissions(evidence: Evidence) -> str:
    rows = [
        (holder, grant.who, grant.action, grant.target, grant.condition)
        for grants in _new(evidence)
        for holder, allowed in grants.items()
        for grant in allowed
    ]
    return table(("new resource", "who", "may", "on", "if"), rows, code=(3, 4))


def _tests(evidence: Evidence) -> str:
    lines = [
        facts.tests_of(evidence),
        facts.folders_of(evidence),
        f"Checked: {reports.checked_of(evidence.checked)}.",
    ]
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return paragraphs + (_failed(evidence.tests) if evidence.tests else "")


def _failed(suite: Suite) -> str:
    listed = "".join(f"<li class='high'><code>{escape(name)}</code></li>" for name in suite.failed)
    return f"<ol>{listed}</ol>" if listed else ""


def _money_path(evidence: Evidence) -> str:
    proof = evidence.money_path
    if proof is None:
        return "<p>Neither that it holds nor that it does not: the build of the proof left no report.</p>"
    when = f"<p>Proven: {escape(reports.checked_of(proof.record))}.</p>"
    return when + table(("what", "how it went"), money_path.rows(proof)) + _failed(proof.suite)


def _smoke(evidence: Evidence) -> str:
    report = evidence.smoke
    rows = [("passed" if check.ok else "FAILED", check.name, check.detail) for check in report.checks]
    why = "" if report.passed else f"<p>{escape(f'{report.error} {report.cause}'.strip())}</p>"
    return f"{why}{table(('', 'check', 'seen'), rows)}<p><code>{escape(report.execution)}</code></p>"


def _drift(evidence: Evidence) -> str:
    rows = [
        (drift.stack, ", ".join(drift.drifted) or _undrifted(drift), drift.unknown)
        for drift in evidence.drift
    ]
    return table(("stack", "changed by hand", "not checked because"), rows)


def _undrifted(drift: Drift) -> str:
    if drift.unknown:
        return "not known"
    return "as deployed" if drift.exists else "does not exist yet"


def _cost(evidence: Evidence) -> str:
    return (
        f"<p>{evidence.dollars:+.2f} USD a month of fixed cost, by list prices. "
        "Calls, seconds and bytes are paid by use, which no change set tells.</p>"
    )


def _digests(evidence: Evidence) -> str:
    signed = (
        '<p>The signature was checked. <a href="provenance.json">The statement</a> can be verified offline: '
        "<code>payments provenance verify provenance.json --public-key PEM</code></p>"
    )
    return signed + table(("file", "SHA-256"), evidence.digests.items(), code=(1,))
