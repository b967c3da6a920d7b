"""A source is checked once: what is reused is of the very same files, and nothing that failed is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.build import check_cache
from pipelines.core import zone
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable


def kept_in(folder: Path, kind: check_cache.Kind = check_cache.CHECK) -> check_cache.Kind:
    """A kind of check whose records are in a folder of the test's."""
    return replace(kind, records=folder / "kept")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one file, instead of this one."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(check_cache, "ROOT", root)
    monkeypatch.setattr(check_cache, "REPORTS", root / "reports")
    monkeypatch.delenv("CODEBUILD_BUILD_ID", raising=False)
    monkeypatch.delenv(zone.VARIABLE, raising=False)
    return root


@pytest.fixture
def makes(source: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let `make check` end with a status, after doing something; return what was run."""

    def makes(status: int = 0, meanwhile: Callable[[], object] = lambda: None) -> list[str]:
        ran: list[str] = []

        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            ran.append(" ".join(command))
            (source / "reports").mkdir()
            (source / "reports" / "tests.xml").write_text(f"run {len(ran)}")
            meanwhile()
            return subprocess.CompletedProcess(command, status)

        monkeypatch.setattr(subprocess, "run", run)
        return ran

    return makes


def test_the_same_source_is_checked_once_and_its_reports_are_there_again(
    source: Path, makes: Callable[..., list[str]], tmp_path: Path
) -> None:
    # Given a source that passed
    ran = makes()
    first = check_cache.check(kept_in(tmp_path))
    # When it is checked again, with what tools leave in a checkout
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "code.pyc").write_bytes(b"\0")
    (source / ".venv").mkdir()
    (source / ".coverage.host.pid1.X").touch()
    again = check_cache.check(kept_in(tmp_path))
    # Then nothing ran, the reports are those of the first time, and they say so
    assert len(ran) == 1
    assert (first.reused, again.reused) == (False, True)
    assert (source / "reports" / "tests.xml").read_text() == "run 1"
    assert check_cache.read(source / "reports") == again
    # And it runs where that is asked for
    assert not check_cache.check(kept_in(tmp_path), again=True).reused
    assert len(ran) == 2


def test_a_release_takes_no_record_that_a_branch_made(
    source: Path, makes: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a source that passed in a branch's build, whose record lies where a release's would
    ran, records = makes(), tmp_path / "kept"
    monkeypatch.setenv(zone.VARIABLE, zone.Trust.BRANCH)
    check_cache.check(kept_in(tmp_path))
    (records / "branch").rename(records / "release")
    # When a release checks the same source
    monkeypatch.setenv(zone.VARIABLE, zone.Trust.RELEASE)
    record = check_cache.check(kept_in(tmp_path))
    # Then it runs the check itself, and its own record counts from then on
    assert (len(ran), record.reused, record.zone) == (2, False, "release")
    assert check_cache.check(kept_in(tmp_path)).reused


@pytest.mark.parametrize("change", ["content", "name", "mode", "another file"])
def test_another_source_is_checked_for_itself(
    source: Path, makes: Callable[..., list[str]], tmp_path: Path, change: str
) -> None:
    ran = makes()
    check_cache.check(kept_in(tmp_path))
    file = source / "code.py"
    changes: dict[str, Callable[[], object]] = {
        "content": lambda: file.write_text("x = 2\n"),
        "name": lambda: file.rename(source / "other.py"),
        "mode": lambda: file.chmod(0o755),
        "another file": (source / "more.py").touch,
    }
    changes[change]()
    assert not check_cache.check(kept_in(tmp_path)).reused
    assert len(ran) == 2


def test_what_failed_is_checked_again(makes: Callable[..., list[str]], tmp_path: Path) -> None:
    makes(status=2)
    for _ in range(2):
        with pytest.raises(Refused, match="The check failed"):
            check_cache.check(kept_in(tmp_path))


def test_a_source_that_changes_meanwhile_is_not_kept(
    source: Path, makes: Callable[..., list[str]], tmp_path: Path
) -> None:
    makes(meanwhile=lambda: (source / "code.py").write_text("x = 3\n"))
    with pytest.raises(Refused, match="changed while"):
        check_cache.check(kept_in(tmp_path))
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("made", [".venv", ".cache", ".embedded", "dist", "reports", "site"])
def test_the_linter_of_a_build_reads_nothing_that_make_put_there(tmp_path: Path, made: str) -> None:
    # Given an archive of a commit, without the .git that makes .gitignore count, and what make installs
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for folder in ("pipelines", f"{made}/lib"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "code.py").write_text("import os\n")
    # When it is linted; Then only the source is
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--show-files", "--no-cache", "."]
    seen = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert [Path(line).relative_to(tmp_path).as_posix() for line in seen.split()] == [
        "pipelines/code.py",
        "pyproject.toml",
    ]


def test_a_part_of_the_proof_is_never_taken_for_the_whole_nor_a_check_for_a_proof(
    makes: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a source that was checked, and whose money path was proven in short, as a rehearsal does
    ran = makes()
    check_cache.check(kept_in(tmp_path))
    monkeypatch.setenv(check_cache.MONEY_PATH, check_cache.SHORTENED)
    in_short = check_cache.check(kept_in(tmp_path, check_cache.money_path()))
    # And whose short record was put where that of the whole would be
    kept = tmp_path / "kept" / zone.WORKSTATION
    shutil.copy(kept / f"{in_short.source}-shortened" / "proven.json", kept / in_short.source)
    # When the whole is proven, whose variable is not set, or says something else; and a part again
    monkeypatch.setenv(check_cache.MONEY_PATH, "whole")
    whole = check_cache.check(kept_in(tmp_path, check_cache.money_path()))
    again = check_cache.check(kept_in(tmp_path, check_cache.money_path()))
    monkeypatch.setenv(check_cache.MONEY_PATH, check_cache.SHORTENED)
    part = check_cache.check(kept_in(tmp_path, check_cache.money_path()))
    # Then each ran once, and says what it was
    make = "make --no-print-directory"
    assert ran == [f"{make} check PART=", f"{make} money-path PART=shortened", f"{make} money-path PART="]
    assert [(record.part, record.reused) for record in (in_short, whole, again, part)] == [
        ("shortened", False),
        ("", False),
        ("", True),
        ("shortened", True),
    ]


def test_the_newest_twenty_records_are_kept_and_what_is_half_made_is_left_alone(
    source: Path, makes: Callable[..., list[str]], tmp_path: Path
) -> None:
    # Given twenty records, a file among them, and what another build is about to keep
    makes()
    kept = tmp_path / "kept" / zone.WORKSTATION
    for age in range(20):
        (kept / f"record-{age:02}").mkdir(parents=True)
        os.utime(kept / f"record-{age:02}", (1000 - age, 1000 - age))
    (kept / ".half").mkdir()
    (kept / "stray").touch()
    os.utime(kept / "stray", (1, 1))
    # When one more is kept
    record = check_cache.check(kept_in(tmp_path))
    # Then the oldest record is gone
    there = {path.name for path in kept.iterdir()}
    assert there == {record.source, ".half", "stray", *(f"record-{age:02}" for age in range(19))}
    # And it says when and how long, to what a person reads
    assert datetime.fromisoformat(record.at).microsecond == 0
    assert isinstance(record.seconds, float)
    assert record.seconds == round(record.seconds, 1)
