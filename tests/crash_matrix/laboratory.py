"""The parts wired together, and every effect between them made a site of the cell that runs."""

import contextlib
import contextvars
import dataclasses
import datetime
import functools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pymongo
import urllib3
from pymongo import errors as mongodb_errors
from urllib3 import exceptions as http_errors

from data_api.handler import handler as data_api_handler
from data_api.http import app
from data_api.storage import connection
from templates.definitions import payment_workflow
from tests.crash_matrix import boundaries, clock, driver, lanes
from tests.crash_matrix.boundaries import DATA_API_URL, SECRETS_URL, STRIPE_URL, Died
from tests.crash_matrix.executor import TaskFailed
from tests.crash_matrix.faults import Layer, Site
from tests.crash_matrix.injector import Failures, Injector
from tests.crash_matrix.memory import Memory
from tests.crash_matrix.replay import Replay
from tests.crash_matrix.stripe_double import StripeDouble, encoded

Database = pymongo.database.Database[dict[str, Any]]
_LAMBDA_FAILURES = Failures(
    died=lambda: TaskFailed("Runtime.ExitError", "the sandbox ended"),
    refused=lambda: TaskFailed("Lambda.TooManyRequestsException", "Rate exceeded"),
    lost=lambda: TaskFailed("States.Timeout"),
)
_HTTP_FAILURES = Failures(
    died=Died,
    refused=lambda: http_errors.NewConnectionError(None, "refused"),  # type: ignore[arg-type] # no pool has a part
    lost=lambda: http_errors.ReadTimeoutError(None, "", "timed out"),  # type: ignore[arg-type] # no pool has a part
)
_BANK_TIME = datetime.timedelta(seconds=90)
"""Until a bank debit settles: an order asks more than once."""
_REAL_TIMEOUT_SECONDS = 60.0  # time is virtual here: a slow machine must not add faults of its own
_PATIENT: dict[str, Any] = {"timeoutMS": int(_REAL_TIMEOUT_SECONDS * 1000)}
# What documents are put back and read with: a read for a majority sees only what a majority was waited for.
_AS_SHIPPED: dict[str, Any] = {"w": "majority", "readConcernLevel": "majority"}


@dataclass(frozen=True)
class Where:
    """What runs: an execution's label, its state, the request, and how often that did what."""

    execution: str
    state: str
    request: str = ""
    calls: Counter[str] = field(default_factory=Counter)

    def site(self, *below: str) -> str:
        """Name a place in here."""
        return " / ".join(part for part in (self.execution, self.state, self.request, *below) if part)


_where: contextvars.ContextVar[Where] = contextvars.ContextVar("where")


class Laboratory:
    """Every part of the payment system in this process, on a real database.

    `injector` is the running cell's; `turns` are set while executions take turns; `freezing` names the
    invocations and requests in which something will freeze, which need a lane of their own.
    """

    def __init__(self, uri: str, database: str, *, forgetful: bool = False) -> None:
        options: dict[str, Any] = {**_AS_SHIPPED, **_PATIENT, "tz_aware": True}
        self._uri = uri
        self._forgetful = forgetful
        self.database: Database = pymongo.MongoClient[dict[str, Any]](uri, **options)[database]
        self.memory = Memory(self.database, forgetful=forgetful)
        self.injector: Injector | None = None
        self.turns: lanes.Turns | None = None
        self.freezing: set[str] = set()
        self.now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
        self.stripe = StripeDouble(self._now, _BANK_TIME)
        self.replay = Replay(self.memory, self.stripe)
        self._handlers: dict[str, dict[str, boundaries.Handler]] = {}
        self._functions = {f"${{{v}}}": name for name, v in payment_workflow.SUBSTITUTIONS.items()}

    @contextlib.contextmanager
    def open(self) -> Iterator["Laboratory"]:
        """Stand between the parts until closed."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, boundaries.environment("credit")))
            stack.enter_context(mock.patch.object(urllib3.PoolManager, "request", self._request()))
            stack.enter_context(mock.patch.object(connection, "MongoClient", self._client))
            opened = mock.patch.object(connection, "NotingDatabase", lambda client, name: client[name])
            stack.enter_context(opened)
            stack.enter_context(mock.patch.object(connection, "REQUEST_SECONDS", _REAL_TIMEOUT_SECONDS))
            client = functools.cache(connection.connect)
            database = functools.cache(connection.database.__wrapped__)
            stack.enter_context(mock.patch.object(connection, "_client", client))
            stack.enter_context(mock.patch.object(connection, "database", database))
            stack.enter_context(_silent(app.logger))
            for module in clock.readers("data_api"):
                stack.enter_context(mock.patch.object(module, "datetime", clock.Times(self._now)))
            stack.callback(self.database.client.close)
            stack.callback(client(os.environ["MONGODB_URI"]).close)
            database()
            yield self

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """Let the data API be called outside any execution."""
        token = _where.set(Where("", "outside"))
        try:
            yield
        finally:
            _where.reset(token)

    def invoke(self, execution: str, method: str, state: str, arguments: dict[str, Any]) -> Any:
        """Invoke a step's function, as Step Functions does, https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html."""
        if method not in self._handlers:
            self._handlers[method] = boundaries.load_handlers(method)
        handler = self._handlers[method][self._functions[arguments["FunctionName"]]]
        where = Where(execution, state)

        def run() -> Any:
            token = _where.set(where)
            try:
                payload = boundaries.run_sandbox(
                    handler, arguments["Payload"], freezable=where.site() in self.freezing
                )
            finally:
                _where.reset(token)
            return {"ExecutedVersion": "1", "Payload": payload, "StatusCode": 200}

        injector = self._injector()
        site = Site(Layer.LAMBDA, where.site("invoke"))

        def cross() -> Any:
            return injector.cross(site, run, _LAMBDA_FAILURES)

        taking_turns = self.turns is not None and not lanes.is_ghost() and not self.turns.alone
        armed = None if self._forgetful or taking_turns else injector.armed(where.site())
        if armed is None:
            return injector.invoked(cross)
        asked = (method, where.site(), json.dumps(arguments), self.now(), lanes.is_ghost(), armed)
        return injector.invoked(lambda: self.replay.run(asked, injector, cross))

    def _request(self) -> Callable[..., Any]:
        """Stand for the network, where every HTTP client of ours ends."""

        def request(_: Any, method: str, url: str, body: Any = None, **options: Any) -> Any:
            headers = dict(options.get("headers") or {})
            if url.startswith(DATA_API_URL):
                return self._ask_data_api(method, url, body, headers)
            if url.startswith(STRIPE_URL):
                return self._ask_stripe(method, url, body, headers)
            assert url.startswith(SECRETS_URL), url
            return SimpleNamespace(status=200, data=b'{"SecretString": "sk_test_crash_matrix"}', headers={})

        return request

    def _ask_data_api(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Any:
        where = self._request_of(f"{method} {'/'.join(urlsplit(url).path.split('/')[4:])}")  # below the order
        event = boundaries.proxy_event(method, url, body, headers)
        site = Site(Layer.HTTP, where.site())
        return self._injector().cross(site, lambda: self._answer(where, event), _HTTP_FAILURES)

    def _ask_stripe(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Any:
        what = [part for part in urlsplit(url).path.split("/")[2:] if not part.startswith("pi_")]
        where = self._request_of(f"stripe {method} {' '.join(what)}")

        def ask() -> Any:
            status, data = encoded(self.stripe.request(method, url, body, headers))
            return SimpleNamespace(status=status, data=data, headers={})

        def fail() -> Any:
            status, data = encoded(self.stripe.fail(method, url, body, headers))
            return SimpleNamespace(status=status, data=data, headers={})

        site = Site(Layer.GATEWAY, where.site(), writes=method != "GET")
        if self.turns is not None and not lanes.is_ghost():
            self.turns.pass_on(where.execution)
        return self._injector().cross(site, ask, dataclasses.replace(_HTTP_FAILURES, replayed=fail))

    def _request_of(self, name: str) -> Where:
        """Name a request of the step that runs."""
        step = _where.get()
        step.calls[name] += 1
        return Where(step.execution, step.state, f"{name} #{step.calls[name]}")

    def _answer(self, where: Where, event: dict[str, Any]) -> Any:
        """Answer as API Gateway does, also for a function that dies or never answers."""

        def run() -> Any:
            token = _where.set(Where(where.execution, where.state, where.request))
            try:
                return data_api_handler(event, SimpleNamespace(aws_request_id="request"))
            finally:
                _where.reset(token)

        try:
            answer = lanes.run(run, freezable=where.site() in self.freezing)
        except lanes.Frozen:
            return SimpleNamespace(status=504, data=b'{"message": "Endpoint request timed out"}')
        except Died:
            return SimpleNamespace(status=502, data=b'{"message": "Internal server error"}')
        return SimpleNamespace(status=answer["statusCode"], data=(answer["body"] or "").encode())

    def _client(self, _: str, **options: Any) -> Any:
        """Stand for MongoClient: this server, with the data API's own options, its concerns among them."""
        real = pymongo.MongoClient[dict[str, Any]](self._uri, **options | _PATIENT)
        wiring = driver.Wiring(self._command, self.memory, self._now)
        return driver.Client(real[self.database.name], wiring)

    def _command(self, call: driver.Call, run: driver.Command, part: driver.Command | None) -> Any:
        where = _where.get()
        name = f"{call.collection.name}.{call.method}"
        where.calls[name] += 1
        if self.turns is not None and not lanes.is_ghost():
            self.turns.pass_on(where.execution)

        def lost() -> BaseException:
            call.sent()
            return mongodb_errors.NetworkTimeout("timed out")

        def hung_up() -> BaseException:
            call.sent()
            return mongodb_errors.AutoReconnect("connection closed")

        def refused() -> BaseException:
            return mongodb_errors.ServerSelectionTimeoutError("no server")

        failures = Failures(Died, refused, lost, hung_up=hung_up)
        site = Site(Layer.MONGODB, where.site(f"{name} #{where.calls[name]}"), call.writes, call.documents)
        return self._injector().cross(site, run, failures, part)

    def _now(self) -> datetime.datetime:
        return self.now()

    def _injector(self) -> Injector:
        assert self.injector is not None, "nothing runs outside a cell"
        return self.injector


@contextlib.contextmanager
def _silent(logger: Any) -> Iterator[None]:
    """Keep the data API's log quiet: thousands of refusals are what is wanted here."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        logger.setLevel(level)
