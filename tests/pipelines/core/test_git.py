"""A rehearsal that a git hook or `git rebase --exec` starts leaves the developer's repository alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from embedded_aws.codeconnections import repositories
from pipelines.cli.main import main
from pipelines.core import git
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.rehearsal import rehearsal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def developers(tmp_path: Path) -> Path:
    """A developer's repository with one commit."""
    folder = tmp_path / "it's ours"
    folder.mkdir()
    git.run(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "a.txt").write_text("a", encoding="utf-8")
    git.run(folder, "add", "--all")
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git.run(folder, *who, "commit", "--quiet", "-m", "Begin")
    return folder


@pytest.fixture
def in_a_hook(developers: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What git exports to a hook of that repository."""
    monkeypatch.setenv("GIT_DIR", str(developers / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(developers))
    monkeypatch.setenv("GIT_INDEX_FILE", str(developers / ".git" / "index"))
    monkeypatch.setenv("GIT_PREFIX", "")
    return developers


def state(folder: Path) -> tuple[str, str, str]:
    return (
        git.run(folder, "log", "--all", "--format=%H %s"),
        git.run(folder, "status", "--porcelain"),
        (folder / ".git" / "config").read_text(encoding="utf-8"),
    )


def test_commits_of_a_rehearsal_stay_out_of_the_repository_whose_hook_runs(
    in_a_hook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a checkout, which a build's source is not
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    git.run(checkout, "init", "--quiet", "--initial-branch", "main")
    (checkout / "b.txt").write_text("b", encoding="utf-8")
    monkeypatch.setattr(rehearsal, "ROOT", checkout)
    before = state(in_a_hook)
    # When
    repository = rehearsal.scratch_repository(tmp_path / "copy", "main")
    repository.commit("feature/tea", "Sell tea", {"tea.txt": "tea"})
    repository.merge("feature/tea", "main")
    # Then all of it is in the copy, and nothing in the developer's
    assert state(in_a_hook) == before
    assert len(git.run(repository.folder, "log", "--all", "--format=%H").split()) == 3


@pytest.mark.usefixtures("in_a_hook")
def test_the_command_line_forgets_the_repository_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # When
    monkeypatch.setenv("BRANCH", "feature/tea")
    main(["branch", "name"], standalone_mode=False)
    # Then nothing that it starts can take that repository for its own
    assert [name for name in git.LOCAL_VARIABLES if name in os.environ] == []


def test_every_variable_that_git_calls_local_is_dropped_here_and_in_make() -> None:
    listed = git.run(ROOT, "rev-parse", "--local-env-vars").split()
    unexported = {
        name
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if line.startswith("unexport GIT_")
        for name in line.split()[1:]
    }
    assert set(listed) - set(git.LOCAL_VARIABLES) == set()
    assert unexported == set(git.LOCAL_VARIABLES)


def test_a_file_name_that_is_no_utf_8_comes_back_as_it_is(developers: Path) -> None:
    # Given
    name = os.fsdecode(b"caf\xe9.txt")
    (developers / name).write_text("x", encoding="utf-8")
    # Then
    listed = git.run(developers, "ls-files", "-z", "--others").split("\0")
    assert (developers / listed[0]).read_text(encoding="utf-8") == "x"


def test_the_embedded_aws_reads_odd_repositories_as_their_owner_sees_them(
    in_a_hook: Path, tmp_path: Path
) -> None:
    # Given a repository with a worktree, a submodule that is it again, and names that are no UTF-8
    other = tmp_path / "other"
    other.mkdir()
    git.run(other, "init", "--quiet", "--initial-branch", "trunk")
    author = "-c", "user.name=" + os.fsdecode(b"Ren\xe9"), "-c", "user.email=r@example.org"
    git.run(other, *author, "commit", "--quiet", "--allow-empty", "-m", "One")
    (other / os.fsdecode(b"caf\xe9.txt")).write_text("x", encoding="utf-8")
    git.run(other, "add", "--all")
    git.run(other, *author, "commit", "--quiet", "-m", "Two")
    git.run(other, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "work tree"))
    outer = tmp_path / "outer"
    git.run(tmp_path, "init", "--quiet", str(outer))
    git.run(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "inner")
    # When each is read from a hook of another repository
    for folder, branch in ((other, "trunk"), (tmp_path / "work tree", "side"), (outer / "inner", "trunk")):
        tip = repositories.branch_tip(folder, branch)
        # Then it is that repository
        assert tip.author.startswith("Ren")
        assert repositories.changed_files(folder, None, tip.identifier) == [os.fsdecode(b"caf\xe9.txt")]


def test_a_failure_is_told_with_the_command_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"git rev-parse failed in .*: fatal: not a git repository"):
        git.run(tmp_path, "rev-parse", "HEAD", extra={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
