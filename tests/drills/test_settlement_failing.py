"""The records of an order do not fit the ledger, so the settlement fails until somebody puts it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pymongo

from pipelines.aws import executions, stacks
from pipelines.orders import payment_stack
from tests.drills.schedules import each_minute
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.drills.drill import Scene
    from tests.drills.system import System

_PAGE: Final = "runbooks/settlement-failing.md"


def test_settlement_failing(scene: Scene) -> None:
    system = scene.system
    # Given an order that is over, whose legs are in the ledger
    [order] = system.traffic.prepare(1)
    list(executions.follow(system.stack.aws, system.traffic.place(order)))
    payment_stack.settle(system.stack.api)
    with (
        pymongo.MongoClient[dict[str, Any]](system.database.uri) as client,
        each_minute(system, "Settlement"),
    ):
        ledger = client[system.stack.name].ledger
        leg = ledger.find_one({"order_id": order})
        assert leg
        # When one of them is lost; Then the settlement fails, and rings
        scene.breaks(
            "a leg of an order is lost from the ledger", lambda: ledger.delete_one({"_id": leg["_id"]})
        )
        scene.rings("SettlementFailing")
        assert "SettlementDisputed" in scene.follow(_PAGE, "How to see it")
        # And when it is put back as reconciliation says, the next settlement succeeds
        scene.outside("the leg is put back", lambda: ledger.insert_one(leg))
        wait_until(lambda: _last(system) == "SUCCEEDED", "the settlement succeeds", seconds=60, every=0.5)
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()


def _machine(system: System) -> str:
    return stacks.outputs(system.stack.aws, system.stack.name)["SettlementArn"]


def _last(system: System) -> str:
    listing = system.stack.aws.stepfunctions.list_executions(stateMachineArn=_machine(system), maxResults=10)
    ended = [execution["status"] for execution in listing["executions"] if execution["status"] != "RUNNING"]
    return ended[0] if ended else ""
