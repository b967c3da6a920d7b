"""What a rehearsal did, at its end: what runs where, orders, digests, links, reports, and times."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

from pipelines.aws.accounts import DOCS_STACK, PREVIEWS_STACK
from pipelines.cli import terminal
from pipelines.core import branch_names
from pipelines.core.repository import DIST
from pipelines.deploy import pipelines
from pipelines.evidence import reports
from pipelines.promotion import running_stack
from pipelines.rehearsal import rehearsal
from templates.capabilities import docs_distribution

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pipelines.orders.orders import Effect
    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.rehearsal import Rehearsal
    from pipelines.rehearsal.rehearsal_orders import OrderResult

_DIGEST_SHOWN = 16
KEPT = DIST / "rehearsal" / "evidence.html"
"""The evidence that an approver saw last, which outlives the embedded AWS."""


def show(
    prepared: Rehearsal,
    promotions: Sequence[Promotion],
    orders: Sequence[OrderResult],
    since: datetime,
    *,
    stays: bool,
) -> bool:
    """Print the summary, and return whether everything ended correctly.

    Args:
        prepared: What the rehearsal worked with.
        promotions: What ran, in order.
        orders: How the sample orders ended.
        since: When the commit was pushed.
        stays: Whether the embedded AWS goes on running, so that links to it lead somewhere.
    """
    released = promotions[-1].status == "Succeeded"
    _deployed(prepared, promotions, released=released)
    _orders(orders)
    same = released and _digests(prepared)
    green = _reports(prepared, promotions)
    _links(prepared, promotions, released=released, stays=stays)
    times(promotions)
    _from_commit_to_production(promotions, since)
    return same and green and bool(orders) and all(order.right for order in orders)


def times(promotions: Sequence[Promotion]) -> None:
    """Print how long each stage took."""
    rows = [
        (promotion.which, stage, f"{seconds:.1f} s")
        for promotion in promotions
        for stage, seconds in promotion.seconds().items()
    ]
    terminal.out.print(terminal.table("Times", ("pipeline", "stage", "took"), rows))


def _deployed(prepared: Rehearsal, promotions: Sequence[Promotion], *, released: bool) -> None:
    branch = branch_names.stack_name(rehearsal.BRANCH)
    names = {"branch": (branch, promotions[0])}
    names |= {"staging": (prepared.targets["staging"].environment.default_stack, promotions[-1])}
    if released:
        names |= {"prod": (prepared.targets["prod"].environment.default_stack, promotions[-1])}
    rows = []
    for name, (stack, followed) in names.items():
        account = prepared.targets[name]
        versions = running_stack.live_versions(account, stack)
        live = ", ".join(f"{arn.rpartition(':')[2]} ({weight}%)" for arn, weight in versions.items())
        rows.append((name, account.environment.account, stack, followed.commit[:12], live))
    columns = ("environment", "account", "stack", "commit", "live version")
    terminal.out.print(terminal.table("What runs where", columns, rows))


def _orders(orders: Sequence[OrderResult]) -> None:
    results = [
        (order.order_id, order.story, order.expected, order.ended, _moved(order.effects), _mark(order.right))
        for order in orders
    ]
    columns = ("order", "which", "must end", "ended", "moved", "")
    terminal.out.print(
        terminal.table("Orders on the branch's stack", columns, results, long=("which", "moved"))
    )


def _digests(prepared: Rehearsal) -> bool:
    """Print the digests that staging and production run, and return whether they are the same."""
    accounts = {name: prepared.targets[name] for name in ("staging", "prod")}
    run = {name: running_stack.digests(aws, aws.environment.default_stack) for name, aws in accounts.items()}
    rows = [
        (name, digest[:_DIGEST_SHOWN], run["prod"].get(name, "")[:_DIGEST_SHOWN], _mark(same))
        for name, digest in run["staging"].items()
        for same in [run["prod"].get(name) == digest]
    ]
    terminal.out.print(terminal.table("Packages, SHA-256 begins", ("function", "staging", "prod", ""), rows))
    return run["staging"] == run["prod"]


def _reports(prepared: Rehearsal, promotions: Sequence[Promotion]) -> bool:
    builds = [step.build for promotion in promotions for step in promotion.steps if step.build]
    built = reports.reports_of(prepared.aws, builds)
    rows = [(report.name, report.summary, _mark(report.passed)) for report in built]
    smoke = [step for promotion in promotions for step in promotion.steps if step.action == "Smoke"]
    rows += [
        (
            f"smoke in {_WHERE.get(step.stage, step.stage)}",
            step.status.lower(),
            _mark(step.status == "Succeeded"),
        )
        for step in smoke
    ]
    terminal.out.print(terminal.table("Reports", ("report", "says", ""), rows))
    return bool(built) and all(mark == _mark(True) for _, _, mark in rows)


_WHERE = {"Smoke": "the branch's stack", "Staging": "staging", "Production": "prod"}


def _links(prepared: Rehearsal, promotions: Sequence[Promotion], *, released: bool, stays: bool) -> None:
    site, previews = (pipelines.docs_url(prepared.aws, stack) for stack in (DOCS_STACK, PREVIEWS_STACK))
    preview = f"{docs_distribution.BRANCHES}{branch_names.stack_name(rehearsal.BRANCH)}"
    folders = [("docs of the branch", previews, preview), ("docs of staging", site, "staging")]
    folders += [("docs of production", site, "prod")] if released else []
    links = [(what, f"{address}/{folder}/index.html") for what, address, folder in folders]
    links += [("evidence", promotion.evidence) for promotion in promotions if promotion.evidence]
    if stays:
        terminal.out.print("[bold]Links[/]")
        for what, link in links:
            terminal.out.print(f"  {what:<20}{link}", markup=False)
    say_what_was_kept(promotions)


def say_what_was_kept(promotions: Sequence[Promotion]) -> None:
    """Print where the evidence is that an approver saw, whatever was answered."""
    if any(promotion.evidence for promotion in promotions):
        terminal.out.print(f"  {'evidence, kept':<20}{KEPT}", markup=False)


def show_evidence(question: PendingApproval) -> None:
    """Print where the evidence is, and keep a copy before anybody answers: it outlives any answer."""
    if question.link:
        terminal.out.print(f"The whole evidence: {question.link}", markup=False)
        terminal.out.print(f"A copy that stays: {_kept(question.link)}", markup=False)


def _kept(evidence: str) -> Path:
    """Save a page of evidence as a file that outlives the embedded AWS, and return its path."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(evidence, timeout=30) as page:  # noqa: S310 - the address of our own docs site
        KEPT.write_bytes(page.read())
    return KEPT


def _from_commit_to_production(promotions: Sequence[Promotion], since: datetime) -> None:
    for promotion in promotions:
        ended = [step.ended for step in promotion.steps if step.stage == "Production"]
        if ended:
            merged = min(step.began for step in promotion.steps)
            terminal.out.print(
                f"From the push to production {(max(ended) - since).total_seconds():.0f} s, orders placed "
                f"meanwhile included; from the merge {(max(ended) - merged).total_seconds():.0f} s."
            )


def _moved(effects: Sequence[Effect]) -> str:
    return ", ".join(f"{effect.what} {effect.change}" for effect in effects if effect.moved) or "nothing"


def _mark(right: bool) -> str:
    return "✓" if right else "✗"


def plain(promotions: list[Promotion], orders: list[OrderResult], endpoint: str | None) -> dict[str, object]:
    """Return what a rehearsal did, for a machine: `promotions`, `orders`, and the `endpoint` that stays."""
    return {
        "promotions": [
            {
                "pipeline": promotion.which,
                "execution": promotion.execution,
                "commit": promotion.commit,
                "status": promotion.status,
                "seconds": {stage: round(took, 1) for stage, took in promotion.seconds().items()},
            }
            for promotion in promotions
        ],
        "orders": [
            {"order_id": order.order_id, "ended": order.ended, "as_expected": order.right} for order in orders
        ],
        "evidence": str(KEPT) if any(promotion.evidence for promotion in promotions) else None,
        "endpoint": endpoint,
    }
