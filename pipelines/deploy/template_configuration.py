"""Writes the settings that the pipelines deploy stacks with: which code, which database, which attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.definitions import configuration_file
from pipelines.deploy import deployment, embedded_overrides, network_stack
from templates.capabilities.parameters import ATTEMPT

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.build.packaging import Image, Manifest, StoredPackages
    from pipelines.definitions.configuration_file import Push


def write(
    target: Aws,
    manifest: Manifest,
    stored: StoredPackages | None,
    folder: Path,
    *,
    image: Image | None = None,
    stack: str | None = None,
    push: Push | None = None,
) -> list[Path]:
    """Write the settings of an environment's network and payments stacks.

    Args:
        target: The environment's account; read, for whether the last deployment was rolled back.
        manifest: The packages to run.
        stored: Where they are kept.
        folder: The build's folder; `dist/settings/` in it becomes the artifact.
        image: Their image, for an environment that runs it.
        stack: The payments stack's name, which also names its database.
        push: For a branch's stack, where it comes from.
    """
    environment, name = (
        embedded_overrides.environment(target.environment),
        stack or target.environment.default_stack,
    )
    code = deployment.parameters(environment, name, stored, manifest, image)
    code |= {ATTEMPT: deployment.next_attempt(target, name)}
    written = [configuration_file.write(folder, environment, "payments", code, push)]
    if stack is None:  # branches share one network, and no pipeline deploys it
        written.append(
            configuration_file.write(folder, environment, "network", network_stack.parameters(target))
        )
    return written
