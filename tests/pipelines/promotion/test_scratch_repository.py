"""The repository that a rehearsal pushes to."""

import shutil
import subprocess
from pathlib import Path

import pytest

from environments import schema
from environments.groupings import PROMOTED
from pipelines.rehearsal import variants
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


def test_every_environment_of_a_checkout_moves_to_one_account_and_is_still_valid(tmp_path: Path) -> None:
    # Given a checkout's environments
    folder = tmp_path / "environments"
    shutil.copytree(schema.FOLDER, folder, ignore=shutil.ignore_patterns("embedded", "samples"))
    # When they move
    for path, text in variants.files_in_one_account(tmp_path, "444444444444").items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    # Then their files say so, keep all else, and break no rule
    for name in PROMOTED:
        stated, moved = schema.load(name), schema.load(name, folder)
        assert moved.account == "444444444444"
        owner = moved.database.owner_account
        assert owner in {None, "444444444444"}
        back = moved.database.model_copy(update={"owner_account": stated.database.owner_account})
        assert moved.model_copy(update={"account": stated.account, "database": back}) == stated
