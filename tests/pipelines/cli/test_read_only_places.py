"""Places where nothing can be written, for real: a home on a read-only file system, a read-only checkout.

A file system is mounted read-only where this process may do that, in a namespace that ends with the command.
Where it may not, the place is a folder whose owner may not write; for root, one that holds processes alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.core.repository import ROOT

_NAMESPACES = (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"])
_PAYMENTS = f"{shlex.quote(sys.executable)} -m pipelines.cli"
_PACKAGES = """
import sys
from pathlib import Path
from pipelines.build import packaging
packaging.build(Path(sys.argv[1]))
"""
_UP_AND_DOWN = """
import sys
from pathlib import Path
from pipelines.cli import local_aws
from pipelines.cli.main import main
local_aws.ROOT = Path(sys.argv.pop(1))
main(prog_name="payments")
"""


@dataclass(frozen=True)
class ReadOnly:
    """A folder that nobody can write in.

    Attributes:
        place: The folder; what makes it so is done before each command.
        mounts: The command that begins a namespace, where one may be made.
    """

    place: Path
    mounts: tuple[str, ...]

    def run(self, command: str, *read_only: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell's command with this folder, and where mounting is possible others, read-only."""
        remounted = [
            f"mount --bind {quoted} {quoted} && mount -o remount,bind,ro {quoted}"
            for quoted in map(shlex.quote, map(str, (self.place, *read_only)))
        ]
        whole = " && ".join([*remounted * bool(self.mounts), command])
        return subprocess.run(
            [*self.mounts, "/bin/sh", "-c", whole],
            env=os.environ | {"COLUMNS": "400", "NO_COLOR": "1"} | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def nowhere(tmp_path: Path) -> ReadOnly:
    """Such a folder, made by what this machine allows."""
    place = tmp_path / "read only"
    place.mkdir()
    for namespace in _NAMESPACES:
        mounting = ReadOnly(place, tuple(namespace))
        if mounting.run("true").returncode == 0:
            return mounting
    if os.getuid():
        place.chmod(0o555)
        return ReadOnly(place, ())
    return ReadOnly(Path("/proc"), ())


def _refused_in_words(ran: subprocess.CompletedProcess[str], place: Path) -> None:
    assert ran.returncode == 1, ran.stdout
    assert f"✗ {place}" in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_folder_of_these_tests_cannot_be_written(nowhere: ReadOnly) -> None:
    assert nowhere.run('mkdir "$HOME/x"', HOME=str(nowhere.place)).returncode != 0


def test_packages_are_built_without_a_home(nowhere: ReadOnly, tmp_path: Path) -> None:
    folder = tmp_path / "built"
    command = shlex.join([sys.executable, "-c", _PACKAGES, str(folder)])
    built = nowhere.run(command, HOME=str(nowhere.place), XDG_CACHE_HOME="")
    assert built.returncode == 0, built.stderr
    assert list(folder.glob("*.zip"))


def test_the_embedded_aws_starts_and_stops_without_a_home(nowhere: ReadOnly, tmp_path: Path) -> None:
    here = (
        f"{shlex.quote(sys.executable)} -c {shlex.quote(_UP_AND_DOWN)} {shlex.quote(str(tmp_path / 'aws'))}"
    )
    ran = nowhere.run(f"{here} up && {here} down", HOME=str(nowhere.place), XDG_CACHE_HOME="")
    assert ran.returncode == 0, ran.stderr
    assert "Stopped; nothing is left." in ran.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_says_where_it_cannot_be_installed(nowhere: ReadOnly, shell: str) -> None:
    ran = nowhere.run(f"{_PAYMENTS} completion {shell} --install", HOME=str(nowhere.place))
    _refused_in_words(ran, nowhere.place)


@pytest.mark.parametrize("arguments", ["synth local", "check", "package"])
def test_a_command_in_a_read_only_checkout_names_what_it_cannot_write(
    nowhere: ReadOnly, arguments: str
) -> None:
    if nowhere.mounts:
        _refused_in_words(nowhere.run(f"{_PAYMENTS} {arguments}", ROOT), ROOT)
    else:
        place = shlex.quote(str(nowhere.place / "out"))
        _refused_in_words(nowhere.run(f"{_PAYMENTS} synth local --out {place}"), nowhere.place)


def test_make_gives_uv_a_cache_in_the_checkout_where_the_home_takes_none(nowhere: ReadOnly) -> None:
    said = "make -s --eval 'now: ; @echo \"$$UV_CACHE_DIR\"' now"
    ran = nowhere.run(said, HOME=str(nowhere.place), XDG_CACHE_HOME="", UV_CACHE_DIR="")
    assert ran.stdout.strip() == f"{ROOT}/.cache/uv"


def test_make_leaves_uv_its_own_cache_where_that_can_be_written(tmp_path: Path) -> None:
    said = "make -s --eval 'now: ; @echo \"[$$UV_CACHE_DIR]\"' now"
    ran = ReadOnly(tmp_path, ()).run(said, HOME=str(tmp_path), XDG_CACHE_HOME="", UV_CACHE_DIR="")
    assert ran.stdout.strip() == "[]"
