"""A payments stack to break: with a MongoDB and a card gateway of its own, beside the embedded AWS."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from embedded_aws import mongod
from pipelines.orders import orders, payment_stack, smoke
from pipelines.orders.reconciliation import reconcile, stripe_account
from pipelines.orders.states import PARKED
from tests.drills.traffic import Traffic
from tests.rehearsal.shop import Shop, physical
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.orders.payment_stack import PaymentStack

ENDED: Final = ("COMPLETED", "FAILED")
_SETTLED_SECONDS: Final = 240.0


@dataclass(slots=True)
class System:
    """What is broken and mended.

    Attributes:
        stack: The payments stack.
        database: Its MongoDB.
        traffic: The orders that were placed in it.
    """

    stack: PaymentStack
    database: mongod.Mongod
    traffic: Traffic = field(init=False)

    def __post_init__(self) -> None:
        """Open a shop that has not sold anything."""
        self.traffic = Traffic(Shop(self.stack))

    def reconnect(self, stack: PaymentStack) -> None:
        """Take up the stack that came in place of a deleted one."""
        self.stack = stack
        self.traffic.shop = replace(self.traffic.shop, stack=stack)

    def client(self, service: str) -> Any:
        """A client as its operator has one."""
        return self.stack.aws.client(service)

    def physical(self, logical: str) -> str:
        """The physical id of one of the stack's resources."""
        return physical(self.stack, logical)

    def alarms(self) -> dict[str, str]:
        """The state of each alarm of the stack, by the name of its runbook's heading."""
        prefix = f"{self.stack.name}-"
        told = self.client("cloudwatch").describe_alarms(
            AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return {
            alarm["AlarmName"].removeprefix(prefix).partition("-")[0].removesuffix("Alarm"): alarm[
                "StateValue"
            ]
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in told[kind]
        }

    def ringing(self) -> set[str]:
        """The alarms that ring."""
        return {name for name, state in self.alarms().items() if state == "ALARM"}

    def kill_database(self) -> None:
        """End its MongoDB as a power cut would."""
        self.database.kill()

    def start_database(self) -> None:
        """Start it again, on the same data and port."""
        assert self.database.data_dir
        self.database = mongod.start(self.database.data_dir, self.database.port)

    def back_up(self, where: Path) -> None:
        """Copy the data of its MongoDB, at rest."""
        assert self.database.data_dir
        self.database.stop()
        shutil.copytree(self.database.data_dir, where)
        self.start_database()

    def restore(self, backup: Path) -> None:
        """Bring back the data of a MongoDB that was stopped, or killed, as they were backed up."""
        assert self.database.data_dir
        shutil.rmtree(self.database.data_dir)
        shutil.copytree(backup, self.database.data_dir)
        self.start_database()

    def holds(self) -> list[str]:
        """Check every invariant, waiting for what is under way; returns what was checked.

        Raises:
            AssertionError: One does not hold.
        """
        placed = self.traffic.placed
        wait_until(lambda: not self._unfinished(), self._unfinished, seconds=_SETTLED_SECONDS, every=0.5)
        payment_stack.settle(self.stack.api)
        found = reconcile.reconcile(
            self.stack.api, stripe=stripe_account.stripe_account(self.stack.aws, self.stack.name)
        )
        assert found.differences == []
        report = smoke.run(self.stack)
        assert report.passed, report
        wait_until(lambda: not self.ringing(), self.ringing, seconds=_SETTLED_SECONDS, every=0.5)
        return [f"{len(placed)} orders at their end", "ledger agrees", "smoke passes", "no alarm rings"]

    def parked(self) -> list[str]:
        """Orders that wait for a person."""
        return [order for order in self.traffic.placed if self._state(order) == PARKED]

    def running(self) -> list[str]:
        """Orders whose execution has not ended."""
        pages = self.stack.aws.stepfunctions.get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.stack.workflow, statusFilter="RUNNING")
        return [execution["name"] for page in found for execution in page["executions"]]

    def undoing(self) -> list[str]:
        """Orders that were placed, and are neither ended nor parked."""
        still = (*ENDED, PARKED)
        return [order for order in self.traffic.placed if self._state(order) not in still]

    def _state(self, order: str) -> str:
        return orders.state(self.stack.api, order)

    def _unfinished(self) -> list[str]:
        return [order for order in self.traffic.placed if self._state(order) not in ENDED]
