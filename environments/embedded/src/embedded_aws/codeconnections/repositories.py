"""Local git repositories that stand for the ones behind a connection, by `owner/repo`."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.core import runtime

_SETTINGS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
_FORMAT = "%H%x00%aI%x00%an%x00%ae%x00%s"


class RepositoryUnavailable(Exception):  # noqa: N818 - it says what happened
    """A repository is not registered, or does not hold what is asked."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit."""

    identifier: str
    authored: str
    author: str
    email: str
    message: str


def registered() -> dict[str, Path]:
    """Return every registered repository."""
    return {
        name: Path(entry["folder"]) for name, entry in runtime.current().setting("repositories", {}).items()
    }


def references_when_registered(full_name: str) -> dict[str, str]:
    """Return the branches and tags that a repository had when it was registered."""
    references_then: dict[str, str] = runtime.current().setting("repositories", {})[full_name]["references"]
    return references_then


def find(full_name: str) -> Path:
    """Return the repository that is registered for a name.

    Raises:
        RepositoryUnavailable: there is none.
    """
    place = registered().get(full_name)
    if place is None or not place.is_dir():
        raise RepositoryUnavailable(
            f"No local git repository is registered for {full_name}. "
            f"Register one: embedded-aws repository {full_name} PATH"
        )
    return place


def commit(repository: Path, revision: str) -> Commit:
    """Read a commit by id, branch or tag.

    Raises:
        RepositoryUnavailable: there is no such revision.
    """
    text = _git(repository, "log", "-1", f"--format={_FORMAT}", "--end-of-options", revision, "--")
    # An author's name in another encoding is readable but for its odd letters; the API answers in UTF-8.
    return Commit(*text.encode(errors="surrogateescape").decode(errors="replace").rstrip("\n").split("\0"))


def branch_tip(repository: Path, branch: str) -> Commit:
    """Read the last commit of a branch.

    Raises:
        RepositoryUnavailable: there is no such branch.
    """
    if f"refs/heads/{branch}" not in references(repository):
        raise RepositoryUnavailable(f"there is no branch {branch} in {repository}")
    return commit(repository, f"refs/heads/{branch}")


def references(repository: Path) -> dict[str, str]:
    """Read every branch and tag with the commit that it names."""
    text = _git(
        repository,
        "for-each-ref",
        "--format=%(objectname) %(*objectname) %(refname)",
        "refs/heads",
        "refs/tags",
    )
    commits = {}
    for line in text.split("\n")[:-1]:  # a branch's name may hold what Python calls a line's end, or a space
        commit_id, peeled, name = line.split(" ", 2)
        commits[name] = peeled or commit_id  # of an annotated tag, the commit
    return commits


def common_folder(repository: Path) -> Path:
    """Say where a repository keeps its references, also a bare one and a worktree of another.

    Raises:
        RepositoryUnavailable: it is no repository.
    """
    path = _git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(path.rstrip("\n"))


def changed_files(repository: Path, before: str | None, after: str) -> list[str]:
    """Name the files that differ between two commits; of a new branch, those of its last commit."""
    span = [before, after] if before else [f"{after}^!"]
    return _git(repository, "diff", "--name-only", "-z", *span, "--").split("\0")[:-1]


def archive(repository: Path, commit_id: str, target: Path) -> None:
    """Write a commit's tree as a zip, without its history."""
    _git(repository, "archive", "--format=zip", f"--output={target}", commit_id)


def _git(repository: Path, *arguments: str) -> str:
    """Run git in a repository, whatever a calling hook exported: its variables beat `-C`."""
    ours = {n: v for n, v in os.environ.items() if not n.startswith("GIT_") or n in _SETTINGS}
    done = subprocess.run(  # noqa: S603 - git, with arguments of ours; names come after --end-of-options or refs/
        ["git", "-C", str(repository), "-c", "log.showSignature=false", *arguments],  # noqa: S607 - the git that the developer uses
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # names of files and branches are bytes
        check=False,
        env=ours,
    )
    if done.returncode:
        raise RepositoryUnavailable(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
