"""Somebody changes a balance by hand: the stack's own reconciliation finds it, until it is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pymongo

from pipelines.aws import executions
from pipelines.orders import payment_stack
from tests.drills.schedules import each_minute

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "runbooks/reconciliation-failing.md"


def test_reconciliation_failing(scene: Scene) -> None:
    system = scene.system
    # Given an order that is over, whose legs are in the ledger
    [order] = system.traffic.prepare(1)
    list(executions.follow(system.stack.aws, system.traffic.place(order)))
    payment_stack.settle(system.stack.api)
    customer = system.stack.api.order(order)["user_id"]
    with (
        pymongo.MongoClient[dict[str, Any]](system.database.uri) as client,
        each_minute(system, "Reconciliation"),
    ):
        users = client[system.stack.name].users
        # When somebody gives its customer money by hand; Then the reconciliation rings
        scene.breaks(
            "a balance is changed by hand",
            lambda: users.update_one({"_id": customer}, {"$inc": {"balance": 500}}),
        )
        scene.rings("ReconciliationFailing")
        # And the page names the account, and what must be there
        assert f"user:{customer}" in scene.follow(_PAGE, "How to see it", only=0)
        assert f"user:{customer}" in scene.follow(_PAGE, "How to see it", only=1)
        # And when it is put back, the next run finds nothing
        scene.outside(
            "the balance is put back",
            lambda: users.update_one({"_id": customer}, {"$inc": {"balance": -500}}),
        )
        scene.follow(_PAGE, "How to fix it")
        scene.follow(_PAGE, "How to know it is fixed")
    scene.well()
