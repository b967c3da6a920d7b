"""Writes the settings that the pipelines deploy stacks with: which code, which database, which attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import deployment, rehearsed
from pipelines.definitions import stack_settings
from pipelines.payment_stack import default_stack
from templates.capabilities.parameters import ATTEMPT

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.aws import Aws
    from pipelines.definitions.stack_settings import Push
    from pipelines.packaging import Image, Manifest


def write(
    there: Aws,
    manifest: Manifest,
    bucket: str,
    folder: Path,
    *,
    image: Image | None = None,
    stack: str | None = None,
    push: Push | None = None,
) -> list[Path]:
    """Write the settings of an environment's network and payments stacks.

    Args:
        there: The environment's account; only looked at, for whether the last deployment was rolled back.
        manifest: The packages to run.
        bucket: Where they are.
        folder: The build's folder; `dist/settings/` in it becomes the artifact.
        image: Their image, for an environment that runs it.
        stack: The payments stack's name, which also names its database.
        push: For a branch's stack, where it comes from.
    """
    environment, name = rehearsed.environment(there.environment), stack or default_stack(there.environment)
    code = deployment.parameters(environment, name, bucket, manifest, image)
    code |= {ATTEMPT: deployment.next_attempt(there, name)}
    written = [stack_settings.write(folder, environment, "payments", code, push)]
    if stack is None:  # a branch's network is everybody's, and no pipeline deploys it
        written.append(stack_settings.write(folder, environment, "network", {}))
    return written
