"""The two zones of trust: what releases work with, and what branches work with.

Whoever can push a branch runs code in the branch's builds. So a release reads nothing that a branch's build
can write: each zone has its own artifact store, package store, key, caches, check records, report groups and
logs, and its roles have a path of their own, which is what the target accounts trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.zone import Trust
from pipelines.definitions import roles
from pipelines.definitions.artifacts import Artifacts, add_artifacts
from pipelines.definitions.packages import PackageStore, add_package_store
from pipelines.definitions.storage import add_zone_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template


@dataclass(frozen=True, slots=True)
class Zone:
    """What one zone's pipelines and builds work with.

    Attributes:
        trust: Whose code its builds run.
        artifacts: Its artifact store.
        packages: Where its packages are kept for Lambda.
        key_arn: The key of both, of its builds' logs and of what else it keeps.
    """

    trust: Trust
    artifacts: Artifacts
    packages: PackageStore
    key_arn: AWSHelperFn

    @property
    def role_path(self) -> str:
        """The IAM path of its roles."""
        return role_path(self.trust)

    def named(self, name: str) -> str:
        """Return a logical id that the other zone does not have."""
        return logical_id(self.trust, name)


def role_path(trust: Trust) -> str:
    """Return the IAM path of a zone's roles."""
    return f"{roles.PATH}{trust.value}/"


def logical_id(trust: Trust, name: str) -> str:
    """Return the logical id of a zone's resource: a branch's begins with `Branch`."""
    return name if trust is Trust.RELEASE else f"Branch{name}"


def add_zone(
    template: Template, trust: Trust, readers: Sequence[AWSHelperFn], strangers: Sequence[AWSHelperFn]
) -> Zone:
    """Add what a zone works with.

    Args:
        template: Where it goes.
        trust: Whose code its builds run.
        readers: Roles of target accounts that read its artifacts and packages.
        strangers: Roles of target accounts that must not.
    """
    key_arn = add_zone_key(template, logical_id(trust, "ArtifactsKey"), readers, strangers)
    kept = trust is Trust.RELEASE
    artifacts = add_artifacts(
        template, logical_id(trust, "Artifacts"), key_arn, readers, strangers, kept_for_ever=kept
    )
    packages = add_package_store(
        template, logical_id(trust, "Packages"), key_arn, readers, strangers, kept_for_ever=kept
    )
    return Zone(trust, artifacts, packages, key_arn)
