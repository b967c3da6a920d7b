"""A promotion rehearsed on one machine: pipelines on an embedded AWS, and a repository of this checkout."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from environments.groupings import PROMOTED
from pipelines.aws import accounts
from pipelines.aws.accounts import Aws
from pipelines.core import git
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides, pipelines
from pipelines.promotion import control, execution
from pipelines.promotion.execution import Promotion
from pipelines.promotion.pipeline_outputs import OUTPUTS
from pipelines.rehearsal import variants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from embedded_aws.instance import Instance
    from embedded_aws.protected_mongod import Protected
    from environments.tools import Tools
    from pipelines.core.reporting import Reporter

_WHO: Final = {
    "GIT_AUTHOR_NAME": "Rehearsal",
    "GIT_AUTHOR_EMAIL": "rehearsal@example.org",
    "GIT_COMMITTER_NAME": "Rehearsal",
    "GIT_COMMITTER_EMAIL": "rehearsal@example.org",
    # Whatever this machine's git is set to do with a commit, as signing it, is not for this one.
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass(frozen=True, slots=True)
class ScratchRepository:
    """A git repository in a folder."""

    folder: Path

    def commit(self, branch: str, message: str, files: dict[str, str]) -> str:
        """Commit files to a branch, which is made from the present one when missing; return the commit.

        A new branch begins with the commit: before, it would be taken for a push of what it came from.
        """
        exists = _git(self.folder, "branch", "--list", "--", branch).strip()
        _git(self.folder, "checkout", "--quiet", branch if exists else "--detach")
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--allow-empty", "-m", message)
        if not exists:
            _git(self.folder, "checkout", "--quiet", "-b", branch)
        return self.head()

    def merge(self, branch: str, into: str) -> str:
        """Merge a branch into another, with a merge commit, and return it."""
        _git(self.folder, "checkout", "--quiet", into)
        _git(self.folder, "merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", branch)
        return self.head()

    def head(self) -> str:
        """Return the commit that is checked out."""
        return _git(self.folder, "rev-parse", "HEAD").strip()


def scratch_repository(
    folder: Path, branch: str, texts: Mapping[str, str] | None = None
) -> ScratchRepository:
    """Copy this checkout's files, committed or not but never ignored ones, and commit them to a branch.

    Args:
        folder: Where to.
        branch: The branch.
        texts: What is in files of the copy, by path, in place of what the checkout's hold.

    Raises:
        Refused: There is no git here, or this is no git checkout.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # By the developer's own settings: what those ignore everywhere is not rehearsed either.
    listed = git.run(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in sorted(filter(None, set(listed.split("\0")))):
        source, target = ROOT / name, folder / name
        if source.is_file():  # one that was deleted but not committed yet is still listed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for name, text in (texts or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    _git(folder, "init", "--quiet", "--initial-branch", branch)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "The checkout that is rehearsed")
    return ScratchRepository(folder)


def _git(folder: Path, *arguments: str) -> str:
    return git.run(folder, *arguments, extra=_WHO)


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


def prepare(
    local: Instance,
    reporter: Reporter,
    *,
    one_account: bool = False,
    cluster: Protected | None = None,
    full: bool = False,
) -> Rehearsal:
    """Deploy the pipelines to an embedded AWS, and let their connection reach a copy of this checkout.

    Args:
        local: The embedded AWS.
        reporter: Shown the progress.
        one_account: Whether all environments are in the tools account, by the files of the copy, too.
        cluster: What their database is, by the files of the copy, too; else the embedded AWS's MongoDB.
        full: Whether builds prove the whole money path; else in short, as they say.

    Raises:
        Refused: They cannot be deployed, or this is no git checkout.
    """
    tools = tools_file.load()
    aws = accounts.connect_tools(local.endpoint, tools)
    environments = [schema.load(name) for name in PROMOTED]
    if one_account:
        environments = [
            environment.model_copy(update={"account": tools.account}) for environment in environments
        ]
    targets = {
        environment.name: Aws(environment, local.endpoint, local.mongodb_uri, card_gateway=local.card_gateway)
        for environment in environments
    }
    texts = variants.files_in_one_account(ROOT, tools.account) if one_account else {}
    if cluster:
        targets = variants.log_in(cluster, targets)
        texts = variants.files_with_database(texts or variants.files(ROOT), targets)
    instance.set_minute(local.root, 60 / embedded_overrides.SPEEDUP)
    variables = embedded_overrides.variables(targets, full=full)
    with ThreadPoolExecutor(1) as beside:  # copying a thousand files takes as long as deploying
        copied = beside.submit(scratch_repository, local.root / "repository", tools.release_branch, texts)
        pipelines.deploy(aws, targets, tools, variables=variables, reporter=reporter)
        for which in OUTPUTS:
            execution.stop_what_began(aws, control.name_of(aws, which))
        repository = copied.result()
    instance.register_repository(local.root, tools.repository, repository.folder)
    return Rehearsal(aws, tools, targets, repository)


def a_change(word: str = "") -> dict[str, str]:
    """Return a commit's files: a line in the changelog, the same each time unless a word makes it differ."""
    before = (ROOT / _CHANGED).read_text(encoding="utf-8")
    return {_CHANGED: f"{before.rstrip()}\n- Rehearsed{f' ({word})' if word else ''}.\n"}
