"""A version of the data API's function is broken: it moves back to the one before, and orders go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.broken_versions import publish_broken

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_BROKEN = "def handler(event, context):\n    raise RuntimeError('a release that nobody tried')\n"


def test_data_api_crashing(scene: Scene) -> None:
    system = scene.system
    functions, name = system.stack.aws.functions, system.physical("DataApiFunction")
    good = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]

    def release() -> None:
        bad = publish_broken(functions, name, "data_api", _BROKEN)
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=bad)

    # Given customers who buy
    system.traffic.prepare(20)
    with system.traffic.flowing(per_second=1):
        # When a version goes live that ends without an answer; Then its alarm rings, and the runbook shows it
        scene.breaks("a version of the data API that raises is live", release)
        scene.rings("DataApiCrashing")
    assert "nobody tried" in scene.follow("runbooks/data-api-crashing.md", "How to see it")
    assert good in scene.follow("runbooks/data-api-crashing.md", "How to fix it", only=0)
    # And the alias moves back to the version before
    scene.follow("runbooks/data-api-crashing.md", "How to fix it", only=1, VERSION=good)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well, and so are the orders of the time between
    scene.follow("runbooks/data-api-crashing.md", "How to know it is fixed")
    scene.well()
