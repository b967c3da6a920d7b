"""An order that goes well, and what it costs MongoDB."""

from collections import Counter
from typing import Any

import pytest
from pymongo import monitoring

from data_api.storage import connection
from tests.integration.data_api.shop import Shop, later

READS = {"find", "aggregate", "count", "distinct"}
WRITES = {"insert", "update", "delete", "findAndModify"}
pytestmark = pytest.mark.usefixtures("patient")
STEPS = ["reserve", "charge", "deliver"]


def test_a_happy_order_moves_stock_and_money_and_completes(shop: Shop) -> None:
    # Given two products, a user and an order over both
    shop.open()
    # When every step runs
    shop.reserve()
    shop.charge()
    arranged = shop.deliver()
    # Then stock and balance are down, there is a delivery per line, and the history is complete
    assert (shop.available("apple"), shop.available("pear")) == (8, 9)
    assert shop.balance() == 10_000 - 2 * 250 - 300
    assert shop.delivered() == ["arranged", "arranged"]
    assert shop.api.deliveries("o1") == arranged
    assert shop.holds() == {"held"}
    payment = {"state": "charged", "amount": 800, "currency": "EUR", "method": "credit"}
    assert shop.api.payment("o1") == {"order_id": "o1"} | payment
    assert shop.states() == ["NEW", "RESERVED", "PAID", "COMPLETED"]
    moments = [entry["at"] for entry in shop.api.history("o1")["history"]]
    assert moments == sorted(moments)


@pytest.mark.parametrize("step", STEPS)
def test_a_repeated_step_gives_the_same_answer_and_changes_nothing(shop: Shop, step: str) -> None:
    # Given a complete order, and what every step answered
    shop.open()
    answers = {name: getattr(shop, name)() for name in STEPS}
    before = shop.everything()
    # When a step is asked again
    again = getattr(shop, step)()
    # Then
    assert again == answers[step]
    assert shop.everything() == before


class Count(monitoring.CommandListener):
    """The commands that a connection was handed."""

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def test_an_order_keeps_the_deadline_it_was_reserved_with(shop: Shop) -> None:
    # Given
    shop.open()
    # When
    shop.api.reserve("o1", execution="e", deadline=(first := later(60)), method="credit")
    shop.api.reserve("o1", execution="e", deadline=later(120), method="credit")
    # Then
    assert shop.api.order("o1")["deadline"] == first.replace("+00:00", "Z")


def test_a_happy_order_takes_five_writes_and_two_reads(
    shop: Shop, mongod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an order, and a connection whose commands are counted
    shop.open()
    count = Count()
    with connection.connect(mongod.uri, count) as client, monkeypatch.context() as patched:
        patched.setattr(connection, "database", lambda: client[shop.db.name])
        # When every step runs
        for step in STEPS:
            getattr(shop, step)()
        # Then
        assert sum(n for name, n in count.commands.items() if name in WRITES) == 5
        assert sum(n for name, n in count.commands.items() if name in READS) == 2
        assert set(count.commands) <= WRITES | READS
