"""A role loses a right, and one order rings; late requests and probes of a bad release ring nothing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from payment_data.metrics import SYNTHETIC_PREFIX
from pipelines.build.package_manifest import PACKAGES
from pipelines.definitions.release_stages import RELEASE_ALARMS
from pipelines.deploy import deployment
from tests.drills.broken_versions import BROKEN_STEP, broken_workflow_version, with_step
from tests.drills.schedules import each_minute
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.build.package_manifest import Manifest
    from tests.drills.drill import Scene
    from tests.drills.system import System

_PAGE: Final = "runbooks/contract-broken.md"
_PROBED: Final = 12
"""Synthetic orders of a bad version: three a run, so that the alarm has counted minutes with them."""
_PROBE_SECONDS: Final = 180.0
_POLICY: Final = "permissions"
_PAST: Final = "2026-01-01T00:00:00Z"


def test_contract_broken(scene: Scene, manifest: Manifest, tmp_path: Path) -> None:
    system = scene.system
    packages = shutil.copytree(PACKAGES, tmp_path / "packages")
    good = with_step(manifest, packages, f"# {scene.home.name}")
    [late] = system.traffic.prepare(1)
    [closed] = system.traffic.prepare(1, address=" ")
    system.traffic.place(closed)
    wait_until(lambda: not system.undoing(), system.undoing, seconds=60)

    def release_again() -> None:
        """Publish a bad version that no order runs, as one that was taken back, and deploy a good one."""
        broken_workflow_version(system.stack, BROKEN_STEP)
        deployment.deploy(system.stack.aws, good, stack=system.stack.name, packages=packages)
        for order in (late, closed):
            _reserve(system, order)
        system.traffic.place(late)

    # When a good release follows a bad one that was taken back, and two requests come late
    scene.breaks("a bad release was taken back, and requests come late", release_again)
    with each_minute(system, "ReleaseProbe"):
        wait_until(
            lambda: _probed(system) >= _PROBED, lambda: _probed(system), seconds=_PROBE_SECONDS, every=1
        )
    # Then guards did their work, synthetic orders failed in the bad release, and nothing judges the good one
    refused = {line["error"] for line in _contract_lines(system) if line["order_id"] in (late, closed)}
    assert refused == {"DeadlineExceeded", "OrderClosed"}
    assert not set(RELEASE_ALARMS) & scene.ears.heard
    # When somebody takes a right from a step, and a customer buys
    role = system.physical("ReserveProductsRole")
    iam = system.client("iam")
    policy = iam.get_role_policy(RoleName=role, PolicyName=_POLICY)["PolicyDocument"]
    [order] = system.traffic.prepare(1)

    def take_away() -> None:
        rest = [each for each in policy["Statement"] if "execute-api" not in json.dumps(each["Action"])]
        assert len(rest) < len(policy["Statement"])
        iam.put_role_policy(
            RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(policy | {"Statement": rest})
        )
        system.traffic.place(order)

    scene.breaks("a step's role loses its route", take_away)
    # Then one order is enough, and the page shows it and what the role may
    scene.rings("ContractBroken")
    seen = scene.follow(_PAGE, "How to see it")
    assert order in seen
    assert "AccessDenied" in seen
    assert "execute-api" not in scene.follow(_PAGE, "How to fix it")
    # And whoever owns the role gives it back
    scene.outside(
        "the role's policy is put back",
        lambda: iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(policy)),
    )
    assert "reservation" in scene.follow(_PAGE, "How to fix it")
    # Then the order was undone, and the system is well
    scene.redrive_parked()
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()


def _reserve(system: System, order: str) -> None:
    """Ask the step for an order as a request that was lost on its way does."""
    event = {"order_id": order, "execution": "late", "deadline": _PAST}
    system.stack.aws.functions.invoke(
        FunctionName=system.physical("ReserveProductsFunction"), Payload=json.dumps(event).encode()
    )


def _probed(system: System) -> int:
    """Return how many synthetic orders broke the contract."""
    return sum(line["order_id"].startswith(SYNTHETIC_PREFIX) for line in _contract_lines(system))


def _contract_lines(system: System) -> list[dict[str, Any]]:
    """Return the log lines of the first step that tell of a broken contract."""
    group = system.physical("ReserveProductsLogs")
    pages = system.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=group, filterPattern='{ $.kind = "contract" }')
    return [json.loads(event["message"]) for page in found for event in page["events"]]
