"""A gate of a rehearsal: the evidence is shown, and somebody answers, or the rehearsal says that it does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import console

if TYPE_CHECKING:
    from pipelines.cli.promotion_view import View
    from pipelines.promotion.control import PendingApproval

APPROVED: Final = (True, "approved as `rehearsal`: there was no terminal to ask at")


def ask(question: PendingApproval, view: View, *, hold: bool) -> tuple[bool, str] | None:
    """Show what an approver is shown, and return yes or no with a reason, or nothing to leave it open."""
    with view.paused():
        console.out.print(f"\n[bold]{question.stage}[/]: what would be released")
        console.out.print(question.summary, markup=False)
        console.out.print(f"The whole evidence: {question.link}\n", markup=False)
        if hold:
            return None
        if not sys.stdin.isatty():
            console.out.print("There is no terminal to ask at: approved as `rehearsal`.", markup=False)
            return APPROVED
        yes = click.confirm("Release it?", err=True)
        reason = "" if yes else click.prompt("Why not", err=True)
        return yes, reason or "approved in a rehearsal"


def how_to_answer(question: PendingApproval, pipeline: str, endpoint: str | None) -> str:
    """The commands that answer a gate, with `payments` and with the `aws` command line."""
    return f"""The gate is left open. Answer it with one of

  payments pipeline approve release --endpoint-url {endpoint}
  payments pipeline reject release --endpoint-url {endpoint} --summary WHY
  aws --endpoint-url {endpoint} codepipeline put-approval-result --pipeline-name {pipeline} \\
    --stage-name {question.stage} --action-name {question.action} --token {question.token} \\
    --result status=Approved,summary=WHY

and watch it go on with

  payments pipeline status release --endpoint-url {endpoint}
"""
