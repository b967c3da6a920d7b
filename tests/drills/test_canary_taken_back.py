"""A canary whose orders fail is taken back by CloudFormation; a good one is not, whatever else is wrong."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from environments import schema
from environments.parts import Alarms
from pipelines.aws import stacks
from pipelines.build.package_manifest import PACKAGES
from pipelines.definitions.release_stages import RELEASE_ALARMS
from pipelines.deploy import deployment
from tests.drills import drill_aws
from tests.drills.broken_versions import BROKEN_STEP, live_version, with_step
from tests.drills.schedules import each_minute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance
    from environments.schema import Environment
    from pipelines.build.package_manifest import Manifest
    from tests.drills.drill import Scene
    from tests.drills.system import System

MINUTE_SECONDS: Final = 4.0
_PERIODS: Final = 2
_ERRORS: Final = "runbooks/data-api-errors.md"
_FAILING: Final = "runbooks/orders-failing.md"


@pytest.fixture(scope="module")
def embedded() -> Iterator[Instance]:
    """One whose canaries take as long as its alarms' minutes say."""
    with drill_aws.running(MINUTE_SECONDS, MINUTE_SECONDS / 60) as instance:
        yield instance


@pytest.fixture(scope="module")
def environment() -> Environment:
    """One that releases as production does."""
    deployment = schema.load("prod").deployment
    return schema.load("branch").model_copy(update={"alarms": Alarms(), "deployment": deployment})


@pytest.fixture
def packages(manifest: Manifest, tmp_path: Path) -> Path:
    """A folder of packages, to which more may be added."""
    assert manifest
    return shutil.copytree(PACKAGES, tmp_path / "packages")


def test_canary_taken_back(scene: Scene, manifest: Manifest, packages: Path) -> None:
    system, time = scene.system, scene.home.name
    interval = system.stack.aws.environment.deployment.interval_minutes
    assert interval

    def release(added: str) -> None:
        changed = with_step(manifest, packages, f"{added}  # {time}")
        deployment.deploy(system.stack.aws, changed, stack=system.stack.name, packages=packages)

    with each_minute(system, "ReleaseProbe", MINUTE_SECONDS):
        # Given a product that is sold out while everybody wants it
        before = live_version(system.stack)
        system.traffic.prepare(300, available=3)
        with system.traffic.flowing(per_second=4):
            # When a good release is deployed; Then it stays
            scene.breaks("a good release is deployed while a product is sold out", lambda: release("# good"))
        second = live_version(system.stack)
        assert second != before
        # Given a database that cannot be reached
        system.traffic.waiting.clear()
        system.traffic.prepare(120)
        with system.traffic.flowing(per_second=2):
            scene.breaks("MongoDB is killed", system.kill_database)
            killed = len(system.traffic.placed)
            scene.rings("DataApiErrors")
            # And an order's story can be read while the data API does not answer
            told = scene.follow(_ERRORS, "How to see it", only=1, ORDER=system.traffic.placed[killed])
            assert "the database cannot be reached" in told
            # When a good release is deployed; Then it stays, and nothing rang that judges it
            scene.breaks("a good release is deployed meanwhile", lambda: release("# better"))
            third = live_version(system.stack)
            assert third != second
            assert not set(RELEASE_ALARMS) & scene.ears.heard
            scene.outside("the database's owner starts it again", system.start_database)
        scene.redrive_parked()
        # When a release is deployed whose first step fails
        system.traffic.waiting.clear()
        system.traffic.prepare(300)
        with system.traffic.flowing(per_second=4):
            scene.breaks("a release is deployed whose first step fails", lambda: _refused(release))
            scene.rings("ContractBroken")
    # Then CloudFormation takes it back, within two of the canary's periods, and orders run the one before
    assert stacks.status(system.stack.aws, system.stack.name) == "UPDATE_ROLLBACK_COMPLETE"
    assert live_version(system.stack) == third
    took = _seconds_of_shift(system)
    scene.told(f"taken back after {took / MINUTE_SECONDS:.1f} of its minutes")
    assert took < _PERIODS * interval * MINUTE_SECONDS
    assert "nobody tried" in scene.follow(_FAILING, "How to see it")
    scene.redrive_parked()
    scene.follow(_FAILING, "How to know it is fixed")
    scene.well()


def _refused(release: object) -> None:
    assert callable(release)
    with pytest.raises(stacks.StackFailed, match="went into ALARM"):
        release(BROKEN_STEP)


def _seconds_of_shift(system: System) -> float:
    """Return how long the last shift of `live` that failed took."""
    events = system.stack.aws.cloudformation.describe_stack_events(StackName=system.stack.name)["StackEvents"]
    of_alias = [event for event in events if event["LogicalResourceId"] == "PaymentWorkflowLive"]
    failed = next(i for i, event in enumerate(of_alias) if event["ResourceStatus"] == "UPDATE_FAILED")
    begun = next(event for event in of_alias[failed:] if event["ResourceStatus"] == "UPDATE_IN_PROGRESS")
    return (of_alias[failed]["Timestamp"] - begun["Timestamp"]).total_seconds()
