"""A broken release is live for a tenth of the orders, and nobody takes it back: three alarms ring."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from pipelines.build.package_manifest import PACKAGES
from pipelines.deploy import deployment
from tests.drills.broken_versions import BROKEN_STEP, live_version, with_step
from tests.drills.schedules import each_minute

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.build.package_manifest import Manifest
    from tests.drills.drill import Scene

_FAILING: Final = "runbooks/orders-failing.md"


def test_canary_by_hand(scene: Scene, manifest: Manifest, tmp_path: Path) -> None:
    system = scene.system
    good = live_version(system.stack)
    packages = shutil.copytree(PACKAGES, tmp_path / "packages")
    broken = with_step(manifest, packages, f"{BROKEN_STEP}\n# {scene.home.name}")

    def release() -> None:
        """Deploy it at once, as no production does, and give nine tenths of the orders back by hand."""
        deployment.deploy(system.stack.aws, broken, stack=system.stack.name, packages=packages)
        system.stack.aws.stepfunctions.update_state_machine_alias(
            stateMachineAliasArn=system.stack.live,
            routingConfiguration=[
                {"stateMachineVersionArn": good, "weight": 90},
                {"stateMachineVersionArn": live_version(system.stack), "weight": 10},
            ],
        )

    # Given customers who buy
    system.traffic.prepare(500)
    with system.traffic.flowing(per_second=8), each_minute(system, "ReleaseProbe"):
        # When a tenth of their orders runs a release that fails
        scene.breaks("a broken release is live for a tenth of the orders", release)
        # Then it is told from the one before by customers' orders and by synthetic ones
        scene.rings("ReleaseFailing", "ReleaseWorse", "ContractBroken")
        told = scene.follow("runbooks/health.md", "How to see it")
        assert "ReleaseFailingAlarm" in told
        assert "ReleaseWorseAlarm" in told
        # And the page has the way back
        assert good in scene.follow(_FAILING, "How to fix it", only=2)
        scene.follow(_FAILING, "How to fix it", only=3, VERSION=good)
    # And the release is rolled back, so that the probe has a good one to compare the next one with
    deployment.deploy(system.stack.aws, manifest, stack=system.stack.name)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well
    scene.follow(_FAILING, "How to know it is fixed")
    scene.well()
