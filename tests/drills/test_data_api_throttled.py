"""The data API refuses requests, since somebody lowered its limits: orders fail until they are put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates.capabilities.api_gateway import BURST, REQUESTS_PER_SECOND

if TYPE_CHECKING:
    from tests.drills.drill import Scene


def test_data_api_throttled(scene: Scene) -> None:
    system = scene.system
    gateway, api = system.client("apigateway"), system.physical("DataApi")

    def lower() -> None:
        changes = [
            {"op": "replace", "path": f"/*/*/throttling/{limit}", "value": "1"}
            for limit in ("rateLimit", "burstLimit")
        ]
        gateway.update_stage(restApiId=api, stageName="live", patchOperations=changes)

    # Given customers who buy
    system.traffic.prepare(60)
    with system.traffic.flowing(per_second=2):
        # When the data API lets one request a second through; Then undos fail, and so do orders
        scene.breaks("the data API's stage lets one request a second through", lower)
        scene.rings("UndoFailing")
    assert "Throttled" in scene.follow("runbooks/undo-failing.md", "How to see it")
    # And the runbook's commands show the limits, and put back those of the template
    assert "1.0\t1\n" in scene.follow("runbooks/orders-failing.md", "How to fix it", only=1)
    limits = gateway.get_stage(restApiId=api, stageName="live")["methodSettings"]["*/*"]
    assert limits["throttlingRateLimit"] == REQUESTS_PER_SECOND
    assert limits["throttlingBurstLimit"] == BURST
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well, and so are the orders of the time between
    scene.follow("runbooks/undo-failing.md", "How to know it is fixed")
    scene.follow("runbooks/orders-failing.md", "How to know it is fixed")
    scene.well()
