"""A git repository to rehearse with: this checkout as it is now, in a folder of its own."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.core import git
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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


def make(folder: Path, branch: str) -> ScratchRepository:
    """Copy this checkout's files, committed or not but never ignored ones, and commit them to a branch.

    Raises:
        Refused: There is no git here, or this is no git checkout.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in sorted(filter(None, set(listed.split("\0")))):
        source, target = ROOT / name, folder / name
        if source.is_file():  # one that was deleted but not committed yet is still listed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    _git(folder, "init", "--quiet", "--initial-branch", branch)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "The checkout that is rehearsed")
    return ScratchRepository(folder)


def _git(folder: Path, *arguments: str) -> str:
    return git.run(folder, *arguments, extra=_WHO)
