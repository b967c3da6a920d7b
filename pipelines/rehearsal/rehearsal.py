"""A promotion rehearsed on one machine: pipelines on an embedded AWS, and a repository that starts them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from pipelines.aws import tools_account
from pipelines.aws.accounts import Aws
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides, pipelines
from pipelines.deploy.synth import PROMOTED
from pipelines.promotion import control, execution
from pipelines.promotion.execution import Promotion
from pipelines.rehearsal import scratch_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded_aws.instance import Instance
    from environments.tools import Tools
    from pipelines.core.reporting import Reporter
    from pipelines.rehearsal.scratch_repository import ScratchRepository

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
        name = control.name_of(self.aws, which)
        return Promotion(which, name, execution.started_by(self.aws, name, commit), commit)


def prepare(local: Instance, reporter: Reporter) -> Rehearsal:
    """Deploy the pipelines to an embedded AWS, and let their connection reach a copy of this checkout.

    Raises:
        Refused: They cannot be deployed, or this is no git checkout.
    """
    tools = tools_file.load()
    aws = tools_account.connect(local.endpoint, tools)
    targets = {
        name: Aws(schema.load(name), local.endpoint, local.mongodb_uri, card_gateway=local.card_gateway)
        for name in PROMOTED
    }
    instance.set_minute(local.root, 60 / embedded_overrides.SPEEDUP)
    variables = embedded_overrides.variables(targets)
    with ThreadPoolExecutor(1) as beside:  # copying a thousand files takes as long as deploying
        copied = beside.submit(scratch_repository.make, local.root / "repository", tools.release_branch)
        pipelines.deploy(aws, targets, tools, variables=variables, reporter=reporter)
        for which in control.OUTPUTS:
            execution.stop_what_began(aws, control.name_of(aws, which))
        repository = copied.result()
    instance.register_repository(local.root, tools.repository, repository.folder)
    return Rehearsal(aws, tools, targets, repository)


def a_change(word: str = "") -> dict[str, str]:
    """Return a commit's files: a line in the changelog, the same each time unless a word makes it differ."""
    before = (ROOT / _CHANGED).read_text(encoding="utf-8")
    return {_CHANGED: f"{before.rstrip()}\n- Rehearsed{f' ({word})' if word else ''}.\n"}
