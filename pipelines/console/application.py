"""The console's pages by their addresses, behind the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.console import environment_pages, gate_pages, promotion_pages
from pipelines.console.context import HERE, Console, explained, page, render
from pipelines.console.guards import Guard, form_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

_RUN = "/pipelines/{which}/executions/{execution}"


def application(console: Console) -> Starlette:
    """Return the console as an ASGI application."""
    app = Starlette(
        routes=[
            Route("/", page(promotion_pages.overview)),
            Route("/pipelines/{which}", page(promotion_pages.pipeline)),
            Route(_RUN, page(promotion_pages.run)),
            Route("/gates/{which}/{execution}", page(gate_pages.gate)),
            Route("/gates/{which}/{execution}/evidence", page(gate_pages.evidence)),
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
    return gate_pages.answer(
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
