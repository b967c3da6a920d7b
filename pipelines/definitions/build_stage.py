"""The stage of branches and releases that checks and builds a commit, and proves its money path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.definitions.actions import run_build
from pipelines.definitions.artifacts import BUILT
from pipelines.definitions.pipeline import stage, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere.codepipeline import Stages

    from pipelines.definitions.builds import BranchBuilds, ReleaseBuilds


def build_stage(builds: ReleaseBuilds | BranchBuilds, proven: Sequence[str] = ()) -> Stages:
    """Check and build the source, and prove its money path beside that; nothing goes on before both are done.

    Args:
        builds: The zone's projects.
        proven: The artifact of the proof, where somebody reads it.
    """
    return stage(
        "Build",
        together(
            run_build("Build", builds.build.name, writes=[BUILT]),
            run_build("MoneyPath", builds.money_path.name, writes=proven),
        ),
    )
