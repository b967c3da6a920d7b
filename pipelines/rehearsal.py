"""A promotion rehearsed on one machine: pipelines on an embedded AWS, and a repository that starts them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from environments import schema
from environments.embedded.codesuite import configure
from pipelines import (
    pipeline_control,
    pipeline_deployment,
    promotion,
    rehearsed,
    scratch_repository,
    tools_account,
)
from pipelines.aws import Aws
from pipelines.definitions import tools as tools_file
from pipelines.promotion import Promotion
from pipelines.repository import ROOT
from pipelines.synth import PROMOTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from environments.embedded.instance import Instance
    from pipelines.definitions.tools import Tools
    from pipelines.reporting import Reporter
    from pipelines.scratch_repository import ScratchRepository

BRANCH: Final = "feature/rehearsal"
_CHANGED: Final = "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal works with.

    Attributes:
        aws: The tools account.
        tools: What the pipelines are like.
        targets: The accounts of branch, staging and prod.
        repository: Where commits are made; a push of one starts a pipeline.
    """

    aws: Aws
    tools: Tools
    targets: Mapping[str, Aws]
    repository: ScratchRepository

    def commit(self, branch: str, message: str, files: dict[str, str]) -> Promotion:
        """Commit files to a branch, and return the execution that this starts."""
        return self._started(branch, self.repository.commit(branch, message, files))

    def merge(self, branch: str) -> Promotion:
        """Merge a branch into the release branch, and return the execution that this starts."""
        release = self.tools.release_branch
        return self._started(release, self.repository.merge(branch, release))

    def _started(self, branch: str, commit: str) -> Promotion:
        which = "release" if branch == self.tools.release_branch else "branch"
        name = pipeline_control.name_of(self.aws, which)
        return Promotion(which, name, promotion.started_by(self.aws, name, commit), commit)


def prepare(here: Instance, reporter: Reporter) -> Rehearsal:
    """Deploy the pipelines to an embedded AWS, and let their connection reach a copy of this checkout.

    Raises:
        Refused: They cannot be deployed, or this is no git checkout.
    """
    tools = tools_file.load()
    aws = tools_account.connect(here.endpoint, tools)
    targets = {
        name: Aws(schema.load(name), here.endpoint, here.mongodb_uri, card_gateway=here.card_gateway)
        for name in PROMOTED
    }
    configure.minutes_take(here.root, 60 / rehearsed.SHORTER)
    told = rehearsed.variables(targets)
    with ThreadPoolExecutor(1) as beside:  # copying a thousand files takes as long as deploying
        copied = beside.submit(scratch_repository.make, here.root / "repository", tools.release_branch)
        pipeline_deployment.deploy(aws, targets, tools, variables=told, reporter=reporter)
        for which in pipeline_control.OUTPUTS:
            promotion.stop_what_began(aws, pipeline_control.name_of(aws, which))
        repository = copied.result()
    configure.register_repository(here.root, tools.repository, repository.folder)
    return Rehearsal(aws, tools, targets, repository)


def a_change(word: str = "") -> dict[str, str]:
    """A commit's files: a line in the changelog, the same each time unless a word makes it another one."""
    before = (ROOT / _CHANGED).read_text(encoding="utf-8")
    return {_CHANGED: f"{before.rstrip()}\n- Rehearsed{f' ({word})' if word else ''}.\n"}
