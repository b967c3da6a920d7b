"""The page of a gate: what is decided with its evidence, and the form that answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from pipelines.console.context import render
from pipelines.console.promotion_pages import TITLES, pipeline_of
from pipelines.core.refusals import Refused
from pipelines.promotion import control

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipelines.console.context import Console

_EVIDENCE_SECONDS: Final = 20
_EVIDENCE_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def gate(console: Console, request: Request) -> HTMLResponse:
    """Show an approval: what is decided, its evidence, and the buttons that answer it."""
    which, identifier = pipeline_of(request), request.path_params["execution"]
    name = control.name_of(console.tools, which)
    waiting = control.pending_approvals(console.tools, name, identifier)
    return render(
        console,
        "gate",
        which=which,
        title=TITLES[which],
        execution=identifier,
        question=waiting[0] if waiting else None,
        reason=request.query_params.get("reason", ""),
        longest=control.LONGEST_SUMMARY,
    )


def evidence(console: Console, request: Request) -> HTMLResponse:
    """Return the evidence page of an approval, for a frame in which it can run nothing and send nothing.

    Raises:
        Refused: Nothing waits there, or its evidence cannot be fetched.
    """
    name = control.name_of(console.tools, pipeline_of(request))
    waiting = control.pending_approvals(console.tools, name, request.path_params["execution"])
    if not waiting or not waiting[0].link:
        raise Refused("This approval has no page of evidence.")
    return HTMLResponse(_fetched(waiting[0].link), headers={"Content-Security-Policy": _EVIDENCE_POLICY})


def answer(console: Console, which: str, identifier: str, *, yes: bool, summary: str) -> str:
    """Approve or reject what waits in an execution, and return where to go on.

    Raises:
        Refused: Nothing waits there, or a rejection has no reason.
    """
    if not yes and not summary.strip():
        raise Refused("A rejection needs a reason: whoever made the release reads it.")
    name = control.name_of(console.tools, which)
    waiting = control.pending_approvals(console.tools, name, identifier)
    if not waiting:
        raise Refused("Nothing waits for an answer there any more.", f"payments pipeline status {which}")
    text = summary.strip() or "approved in the console"
    control.answer(console.tools, name, waiting[0], yes=yes, summary=text)
    return f"/pipelines/{which}/executions/{identifier}"


def _fetched(link: str) -> str:
    if urlsplit(link).scheme not in {"http", "https"}:
        raise Refused(f"The evidence is at no web address: {link}")
    try:
        with urllib.request.urlopen(link, timeout=_EVIDENCE_SECONDS) as fetched:  # noqa: S310 - checked above
            return str(fetched.read().decode("utf-8", "replace"))
    except (urllib.error.URLError, TimeoutError) as error:
        raise Refused(f"The evidence cannot be fetched: {error}", f"Open it yourself: {link}") from error
