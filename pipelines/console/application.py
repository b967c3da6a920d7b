"""The console's pages by their addresses, behind the guard; and a gate's page, with the form that answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.console import environment_pages, promotion_pages
from pipelines.console.context import HERE, Console, explained, page, render
from pipelines.console.guards import Guard, form_of
from pipelines.console.promotion_pages import TITLES, pipeline_of
from pipelines.core.refusals import Refused
from pipelines.promotion import control

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

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


_RUN = "/pipelines/{which}/executions/{execution}"


def application(console: Console) -> Starlette:
    """Return the console as an ASGI application."""
    app = Starlette(
        routes=[
            Route("/", page(promotion_pages.overview)),
            Route("/pipelines/{which}", page(promotion_pages.pipeline)),
            Route(_RUN, page(promotion_pages.run)),
            Route("/gates/{which}/{execution}", page(gate)),
            Route("/gates/{which}/{execution}/evidence", page(evidence)),
            Route("/gates/{which}/{execution}/answer", _action(_answer), methods=["POST"]),
            Route("/builds/{build:path}", page(promotion_pages.build_log)),
            Route("/environments/{environment}", page(environment_pages.environment)),
            Route("/environments/{environment}/orders", page(environment_pages.order_list)),
            Route("/environments/{environment}/orders/{order}", page(environment_pages.order)),
            Route("/branches", page(environment_pages.branches)),
            Route("/branches/remove", _action(_remove), methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Guard, keys=console.keys)],
        exception_handlers={404: _missing},
    )
    app.state.console = console
    return app


def _action(
    act: Callable[[Console, Request, dict[str, str]], str],
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that does what a form asks for, and then leads to where it can be seen."""

    async def endpoint(request: Request) -> Response:
        console: Console = request.app.state.console
        form = await form_of(request, console.keys)
        if form is None:
            return HTMLResponse("This form is not one of this console's pages.", 403)
        if not console.may_act:
            return render(
                console,
                "problem",
                403,
                message="This console only shows.",
                hint="Start it with --allow-actions to answer gates and remove stacks.",
            )

        def acted(console: Console) -> HTMLResponse:
            return HTMLResponse(act(console, request, form))

        answer = await run_in_threadpool(explained, acted, console)
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's OK
            return answer
        return RedirectResponse(bytes(answer.body).decode(), 303)

    return endpoint


def _answer(console: Console, request: Request, form: dict[str, str]) -> str:
    return answer(
        console,
        request.path_params["which"],
        request.path_params["execution"],
        yes=form.get("answer") == "approve",
        summary=form.get("summary", ""),
    )


def _remove(console: Console, _request: Request, form: dict[str, str]) -> str:
    return environment_pages.remove_branch(console, form.get("branch", ""))


def _missing(request: Request, _error: Exception) -> HTMLResponse:
    console: Console = request.app.state.console
    return render(console, "problem", 404, message=f"There is no page {request.url.path}.", hint="")
