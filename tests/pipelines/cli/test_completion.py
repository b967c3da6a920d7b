"""Completion in the shells that are here: installed by one command, and used by a person at a terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.core.repository import ROOT
from tests.terminals import at_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

_RUN: Final = {
    "bash": ["bash", "--rcfile", "{home}/rc", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "-i"],
}
_START: Final = {
    "bash": ("rc", 'source "{installed}"\n'),
    "zsh": (".zshrc", 'fpath+=("{folder}"); autoload -Uz compinit; compinit -u\n'),
}
"""What a shell's own file must hold: bash without its completion package, and zsh as the command says."""
_TO_THE_START, _TAB = "\x01", "\t"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("payments branch l", "payments branch list"),
        ("payments deploy stag", "payments deploy staging"),
        ("payments order list -e stag", "payments order list -e staging"),
        ("payments doctor --profile tools=liv", "payments doctor --profile tools=live"),
        ("payments doctor --profile=tools=liv", "payments doctor --profile=tools=live"),
        ("payments doctor --profile tool", "payments doctor --profile tools=live"),
        ("payments doctor --profile tools=", "payments doctor --profile tools=live"),
        ("payments doctor --profile tools=live stag", "payments doctor --profile tools=live staging"),
    ],
)
@pytest.mark.parametrize("shell", [shell for shell in _RUN if shutil.which(shell)])
def test_what_is_installed_completes_what_is_typed(
    shell: str, typed: str, completed: str, tmp_path: Path
) -> None:
    # Given a home in whose name a shell finds much to stumble over, and completion installed in it
    home = tmp_path / "it's a père's home"
    home.mkdir()
    path = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
    settings = {"HOME": str(home), "ZDOTDIR": str(home), "PATH": path, "SHELL": f"/bin/{shell}"}
    configuration = home / "aws"
    configuration.write_text("[profile live]\nregion = eu-central-1\n", encoding="utf-8")
    settings |= {"AWS_CONFIG_FILE": str(configuration)}
    payments = ["payments", "completion", "--install"]
    subprocess.run(payments, env=os.environ | settings, check=True, capture_output=True)
    [installed] = [file for file in home.rglob("*payments*") if file.is_file()]
    if shell in _START:
        name, text = _START[shell]
        (home / name).write_text(text.format(installed=installed, folder=installed.parent), encoding="utf-8")
    # When a person types half of a word, the tabulator, and lets the shell say what stands there now
    keys = f"{typed}{_TAB}{_TO_THE_START}echo typed: \nexit\n"
    command = [word.format(home=home) for word in _RUN[shell]]
    _, shown = at_a_terminal(command, keys, cwd=tmp_path, columns=200, **settings)
    # Then
    assert f"typed: {completed}" in re.split(r"[\r\n]+", shown), shown
