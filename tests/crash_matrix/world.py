"""What is in the database before a cell, put back after each, and what a person would find there."""

import datetime
from functools import partial
from typing import Any

from data_api.handler import handler as data_api_handler
from data_api.storage import connection
from payment_data.client import DataApi, Response
from payment_data.errors import Problem
from tests.crash_matrix import boundaries, lanes, pruning
from tests.crash_matrix.injector import Injector
from tests.crash_matrix.laboratory import Laboratory
from tests.crash_matrix.memory import Contents, in_the_end
from tests.crash_matrix.scenario import USER, Scenario
from tests.crash_matrix.scenarios import SCENARIOS

Documents = dict[str, list[dict[str, Any]]]
COLLECTIONS = ("products", "users", "orders", "failures", "payments", "ledger")


class World:
    """The scenarios' data, made once through the data API itself, then restored document by document."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        made_at = datetime.datetime.now(datetime.UTC)
        laboratory.now = lambda: made_at  # one moment: what scenarios have in common is executed once
        self._made = {scenario.name: self._make(scenario) for scenario in SCENARIOS.values()}
        # Every cell begins at one moment, later than anything was made.
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self.start = now + datetime.timedelta(seconds=1)

    def restore(self, scenario: Scenario) -> None:
        """Make the database as it is before a cell of this scenario."""
        self._laboratory.memory.put_back(self._made[scenario.name])
        self._laboratory.stripe.clear()

    def documents(self) -> Documents:
        """Read everything."""
        stripe = self._laboratory.stripe
        kept = {name: self._laboratory.memory.documents(name) for name in COLLECTIONS}
        return {
            **kept,
            "payment_intents": [*stripe.intents.values()],
            "refunds": stripe.refunds,
            "disputes": stripe.disputes,
        }

    def prune(self) -> int:
        """Settle what is due; return how many orders are disputed."""
        with self._laboratory.outside():
            return in_the_end(lambda: int(lanes.as_ghost(lambda: pruning.prune(connection.database()))))

    def _make(self, scenario: Scenario) -> Contents:
        self._laboratory.memory.put_back({})
        self._laboratory.injector = Injector((), *[lambda: None] * 3)
        api = DataApi(_straight)

        def make() -> None:
            for product, body in scenario.products().items():
                api.put_product(product, body)
            api.put_user(USER, scenario.user())
            for order in scenario.orders:
                api.put_order(order, scenario.order(order))

        with self._laboratory.outside():
            lanes.as_ghost(make)
        return self._laboratory.memory.contents()

    def create(self, scenario: Scenario, order_id: str) -> None:
        """Create an order while a cell runs, once."""
        with self._laboratory.outside():
            lanes.as_ghost(lambda: DataApi(_straight).put_order(order_id, scenario.order(order_id)))

    def complete_lost(self, order_id: str, method: str, payment_intent: str | None) -> str:
        """Have a person complete a restored order; return the error that refuses it, empty without one."""
        ask = partial(
            DataApi(_straight).complete_lost,
            order_id,
            execution="arn:states:execution:w:e",
            method=method,
            payment_intent=payment_intent,
        )
        try:
            with self._laboratory.outside():
                lanes.as_ghost(ask)
        except Problem as problem:
            return type(problem).__name__
        return ""


def _straight(method: str, path: str, body: bytes | None) -> Response:
    url = boundaries.DATA_API_URL + path
    answer = data_api_handler(boundaries.proxy_event(method, url, body, {}), None)
    return Response(answer["statusCode"], (answer["body"] or "").encode())
