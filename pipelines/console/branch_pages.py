"""The page of branch stacks, and the button that proposes a removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console.context import render
from pipelines.promotion import branches as branch_stacks
from pipelines.promotion import control

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from pipelines.console.context import Console


def branches(console: Console, _request: Request) -> HTMLResponse:
    """Show every branch's stack: whose it is, how old, how its smoke ended; with a button that removes it."""
    return render(console, "branches", stacks=branch_stacks.listed(console.account("branch")))


def remove(console: Console, branch: str) -> str:
    """Propose the removal of a branch's stack, and return the address of its execution.

    Raises:
        Refused: A removal of this stack is under way.
    """
    pipeline = control.name_of(console.tools, "remove-branch")
    execution = branch_stacks.propose_removal(console.tools, pipeline, branch)
    return f"/pipelines/remove-branch/executions/{execution}"
