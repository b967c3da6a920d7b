"""What every page needs: which AWS is shown, as whom, whether it may act, and how a page is rendered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from payment_data import money
from payment_data.errors import Problem
from pipelines.aws import executions
from pipelines.console.guards import Keys
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from pipelines.aws.accounts import Aws

HERE: Final = Path(__file__).parent
FAILURES: Final = (Refused, ClientError, BotoCoreError, Problem)
"""What a page says in words instead of breaking."""
_MINUTE: Final = 60
_SIGNS: Final = {
    "Succeeded": ("done", "✓"),
    "SUCCEEDED": ("done", "✓"),
    "COMPLETED": ("done", "✓"),
    "Approved": ("done", "✓"),
    "InProgress": ("running", "…"),
    "RUNNING": ("running", "…"),
    "Waiting": ("waiting", "!"),
    "Failed": ("failed", "✗"),
    "FAILED": ("failed", "✗"),
    "TIMED_OUT": ("failed", "✗"),
    "NEEDS_ATTENTION": ("failed", "✗"),
    "Abandoned": ("stopped", "–"),  # noqa: RUF001 - a dash as a sign
    "Stopped": ("stopped", "–"),  # noqa: RUF001 - a dash as a sign
    "ABORTED": ("stopped", "–"),  # noqa: RUF001 - a dash as a sign
    "Superseded": ("stopped", "–"),  # noqa: RUF001 - a dash as a sign
}
"""How each status of AWS looks: the class of its colour, and a sign for who sees no colours."""


@dataclass(frozen=True)
class Console:
    """One running console.

    Attributes:
        tools: The pipelines' account.
        environments: Each environment's account by name; `local` is among them on an embedded AWS.
        may_act: Whether its buttons do anything; on AWS only when the caller asked for it.
        keys: What only our own pages know.
    """

    tools: Aws
    environments: Mapping[str, Aws]
    may_act: bool
    keys: Keys = field(default_factory=Keys)

    @property
    def embedded(self) -> bool:
        """Return whether an embedded AWS is shown."""
        return self.tools.embedded

    def account(self, environment: str) -> Aws:
        """Return an environment's account.

        Raises:
            Refused: There is no such environment.
        """
        if environment not in self.environments:
            raise Refused(f"There is no environment {environment}.")
        return self.environments[environment]


def render(console: Console, page: str, code: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made of `html/PAGE.html`."""
    shown = {"console": console, "now": datetime.now(UTC), "token": console.keys.form, **values}
    return HTMLResponse(_PAGES.get_template(f"{page}.html").render(shown), code)


def page(show: Callable[[Console, Request], HTMLResponse]) -> Callable[[Request], Awaitable[HTMLResponse]]:
    """Return an endpoint that shows a page in a thread, and a failure of AWS in words."""

    async def endpoint(request: Request) -> HTMLResponse:
        console: Console = request.app.state.console
        return await run_in_threadpool(explained, show, console, request)

    return endpoint


def explained(show: Callable[..., HTMLResponse], console: Console, *arguments: Any) -> HTMLResponse:
    """Return a page, or the page that says in words why it cannot be shown."""
    try:
        return show(console, *arguments)
    except FAILURES as error:
        message = error.message if isinstance(error, Refused) else f"AWS answered: {error}"
        hint = error.hint if isinstance(error, Refused) else ""
        return render(
            console, "problem", 404 if isinstance(error, Refused) else 502, message=message, hint=hint
        )


def _sign(status: str) -> tuple[str, str]:
    return _SIGNS.get(status, ("unknown", "·"))


def _age(moment: datetime, now: datetime) -> str:
    seconds = max(int((now - moment.astimezone(UTC)).total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3600), ("min", _MINUTE)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _money(amount: int, currency: str) -> str:
    return f"{money.format_major(amount, currency)} {currency}"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


_PAGES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "html"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters.update(sign=_sign, age=_age, clock=_clock, money=_money, cause=executions.error_message)
