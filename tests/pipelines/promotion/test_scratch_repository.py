"""The repository that a rehearsal pushes to."""

import subprocess
from pathlib import Path

import pytest

from pipelines.rehearsal.rehearsal import ScratchRepository


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        (*who, "commit", "--quiet", "--allow-empty", "-m", "Begin"),
    ):
        command = ["git", "-C", str(tmp_path), *arguments]
        subprocess.run(command, check=True)
    return ScratchRepository(tmp_path)


def _named(repository: ScratchRepository, branch: str) -> list[str]:
    """Every commit that the branch ever named, the last one first."""
    command = ["git", "-C", str(repository.folder), "reflog", "show", "--format=%H", f"refs/heads/{branch}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_a_new_branch_is_one_push_of_its_own_commit(repository: ScratchRepository) -> None:
    # When
    commit = repository.commit("feature/tea", "Sell tea", {"b.txt": "b"})
    # Then nobody can have seen it name the commit that it came from
    assert _named(repository, "feature/tea") == [commit]


def test_a_branch_that_is_there_goes_on(repository: ScratchRepository) -> None:
    # Given
    first = repository.commit("feature/tea", "Sell tea", {"b.txt": "b"})
    # When
    second = repository.commit("feature/tea", "Sell more tea", {"b.txt": "c"})
    merged = repository.merge("feature/tea", "main")
    # Then
    assert _named(repository, "feature/tea") == [second, first]
    assert _named(repository, "main")[0] == merged
    assert (repository.folder / "b.txt").read_text() == "c"
