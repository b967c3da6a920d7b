"""Where an acceptance run takes place: a lent account as that of everything, and a repository to push to.

On AWS both are what this checkout's files say. On the embedded AWS the repository is a copy of the checkout
whose files say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from environments.groupings import PROMOTED
from pipelines.core import git
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides
from pipelines.rehearsal import rehearsal, variants
from pipelines.rehearsal.acceptance import Acceptance, Repository
from pipelines.rehearsal.rehearsal import ScratchRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws.instance import Instance
    from environments.tools import Tools
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

_ACCOUNT: Final = re.compile(r'^account: "\d{12}"$', re.MULTILINE)
_TOOLS: Final = "environments/tools.yml"


@dataclass(frozen=True, slots=True)
class PushedRepository:
    """A clone whose commits are pushed to where this checkout's came from.

    Attributes:
        clone: It.
        address: Where commits are pushed to.
    """

    clone: ScratchRepository
    address: str

    def commit(self, branch: str, message: str, files: dict[str, str]) -> str:
        """Commit files to a branch, push it, and return the commit."""
        made = self.clone.commit(branch, message, files)
        git.run(self.clone.folder, "push", "--quiet", self.address, f"{branch}:refs/heads/{branch}")
        return made


def pushed_repository(checkout: Path, folder: Path, branch: str) -> PushedRepository:
    """Clone a checkout, to commit and push beside it.

    Raises:
        Refused: What is checked out is not what the branch is where it is pushed to.
    """
    head = git.run(checkout, "rev-parse", "HEAD").strip()
    address = git.run(checkout, "remote", "get-url", "origin").strip()
    there = git.run(checkout, "ls-remote", address, f"refs/heads/{branch}").split()[:1]
    if there != [head] or git.run(checkout, "status", "--porcelain", "--untracked-files=no").strip():
        raise Refused(
            f"What is checked out here is not {branch} at {address}, which the pipelines would release.",
            f"Commit everything, then: git push origin HEAD:{branch}",
        )
    git.run(checkout, "clone", "--quiet", str(checkout), str(folder))
    git.run(folder, "checkout", "--quiet", "-B", branch, head)
    return PushedRepository(ScratchRepository(folder), address)


def must_be_the_only_one(aws: Aws) -> None:
    """Refuse a checkout whose files name an account other than the one that is lent.

    Raises:
        Refused: They do.
    """
    account = aws.environment.account
    stated = {name: schema.load(name).account for name in PROMOTED} | {"tools": tools_file.load().account}
    if elsewhere := [f"{name} in {where}" for name, where in stated.items() if where != account]:
        raise Refused(
            f"An acceptance run puts everything in {account}, and the files say {', '.join(elsewhere)}.",
            "In a copy of the repository: payments init, with that account for all of them.",
        )


def on_aws(aws: Aws, folder: Path, approves: Callable[[PendingApproval], bool]) -> Acceptance:
    """Return a run as this checkout's files say it.

    Args:
        aws: The lent account.
        folder: Where a clone is made.
        approves: Asked at each approval.

    Raises:
        Refused: The files name other accounts, too, or were not pushed.
    """
    must_be_the_only_one(aws)
    tools = tools_file.load()
    return _grouped(aws, tools, pushed_repository(ROOT, folder, tools.release_branch), approves)


def on_this_machine(local: Instance, aws: Aws, approves: Callable[[PendingApproval], bool]) -> Acceptance:
    """Return a run on the embedded AWS, with a copy of this checkout whose files name one account."""
    account = aws.environment.account
    tools = tools_file.load().model_copy(update={"account": account})
    texts = variants.files_in_one_account(ROOT, account)
    stated = (ROOT / _TOOLS).read_text(encoding="utf-8")
    texts[_TOOLS] = _ACCOUNT.sub(f'account: "{account}"', stated)
    folder = local.root / "acceptance"
    repository = rehearsal.scratch_repository(folder, tools.release_branch, texts)
    instance.register_repository(local.root, tools.repository, folder)
    instance.set_minute(local.root, 60 / embedded_overrides.SPEEDUP)
    beside = replace(aws, mongodb_uri=local.mongodb_uri, card_gateway=local.card_gateway)
    run = _grouped(beside, tools, repository, approves)
    run.variables = embedded_overrides.variables(run.targets)
    return run


def _grouped(
    aws: Aws,
    tools: Tools,
    repository: Repository,
    approves: Callable[[PendingApproval], bool],
) -> Acceptance:
    """Return a run in which the account, by the same credentials, is that of everything."""
    account = {"account": aws.environment.account}
    targets = {
        name: replace(aws, environment=schema.load(name).model_copy(update=account)) for name in PROMOTED
    }
    place = {"name": "tools", "region": tools.region, **account}
    tools_aws = replace(aws, environment=schema.load("branch").model_copy(update=place))
    return Acceptance(tools_aws, tools, targets, repository, approves)
