"""The step functions and the data API in this process, one set for each caller, as Lambda sandboxes are.

Nothing of ours is replaced: handlers, client, signing, routes and storage run as they ship. A data API
sandbox answers one request at a time, so every caller has its own; they share one connection pool, which
Lambda's would not, and Python's one interpreter lock.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from unittest import mock
from urllib.parse import urlsplit

import urllib3

from payment_data.errors import InvalidOrder, OutOfStock, PaymentDeclined, Problem
from pipelines.orders.payment_stack import proxy_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_URL: Final = "https://data-api.invalid/live"
_STEPS: Final = (
    "reserve_products",
    "process_payment",
    "arrange_delivery",
    "release_products",
    "record_failure",
)
ENVIRONMENT: Final = {
    "DATA_API_URL": _URL,
    "PAYMENT_METHOD": "credit",
    "POWERTOOLS_SERVICE_NAME": "load",
    "LOG_LEVEL": "CRITICAL",  # a terminal is not what is measured
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "000000000000",
    "AWS_SECRET_ACCESS_KEY": "none",
}
_answering = threading.local()


class Sandboxes:
    """One of each function, for one thread; `statuses` are what the data API answered."""

    def __init__(self) -> None:
        self._data_api: Callable[..., Any] = _fresh("data_api.handler").handler
        self._steps = {name: _fresh(f"{name}.handler").handler for name in _STEPS}
        self.statuses: list[int] = []

    def ask(self, method: str, path: str, body: bytes | None = None) -> SimpleNamespace:
        """Send one request to the data API, as API Gateway does."""
        answer = self._data_api(proxy_event(method, path, body), SimpleNamespace(aws_request_id="r"))
        self.statuses.append(answer["statusCode"])
        return SimpleNamespace(status=answer["statusCode"], data=(answer["body"] or "").encode())

    def place(self, order_id: str) -> str:
        """Take an order all the way, forward and back, as the workflow does; return how it ended.

        Raises:
            Problem: what the workflow would retry, or a broken contract: neither may happen here.
        """
        _answering.sandboxes = self
        event = {"order_id": order_id, "execution": f"arn:{order_id}", "execution_name": order_id}
        event["deadline"] = (datetime.now(UTC) + timedelta(seconds=900)).isoformat(timespec="milliseconds")
        try:
            self._run("reserve_products", event)
            self._run("process_payment", event)
            self._run("arrange_delivery", event)
        except (OutOfStock, InvalidOrder, PaymentDeclined) as refused:
            return self._undo(event, refused)
        return "COMPLETED"

    def _undo(self, event: dict[str, Any], refused: Problem) -> str:
        error = type(refused).__name__
        if isinstance(refused, PaymentDeclined):
            self._run("release_products", event | {"reason": error})
        failure = {"step": "a step", "error": error, "cause": str(refused), "compensated": True}
        self._run("record_failure", event | failure)
        return error

    def _run(self, function: str, event: dict[str, Any]) -> None:
        self._steps[function](event, SimpleNamespace(aws_request_id="r"))


@contextmanager
def started(callers: int) -> Iterator[list[Sandboxes]]:
    """Start so many sandboxes, cold starts behind them; their network is this process."""
    with (
        mock.patch.dict(os.environ, ENVIRONMENT),
        mock.patch.object(urllib3.PoolManager, "request", _request),
    ):
        yield [Sandboxes() for _ in range(callers)]


def _request(_: Any, method: str, url: str, body: bytes | None = None, **__: Any) -> SimpleNamespace:
    found: SimpleNamespace = _answering.sandboxes.ask(method, urlsplit(url).path.removeprefix("/live"), body)
    return found


def _fresh(name: str) -> Any:
    """Run a module once more, for nobody else."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, name
    assert spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
