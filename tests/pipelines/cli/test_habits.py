"""Habits of the command line: help, examples, suggestions, completion, and JSON."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pipelines.cli.main import COMMANDS, main
from pipelines.core.repository import ROOT
from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from pathlib import Path

_OF_BUILDS = {
    *("payments branch pipeline", "payments branch show", "payments branch expire", "payments branch name"),
    *("payments pipeline settings", "payments pipeline evidence", "payments pipeline verify"),
    *("payments pipeline sign", "payments provenance public-key"),
    *("payments docs publish", "payments docs remove", "payments docs picture"),
}
"""Commands that builds run: their output is a log, or the one line that they are for."""


def _leaves() -> dict[str, click.Command]:
    return {path: command for path, command in commands.every(main) if not isinstance(command, click.Group)}


def _loaded_by(*arguments: str) -> set[str]:
    """The modules that a call of the command line loads, in a process of its own."""
    code = """import sys; from pipelines.cli.main import main
try: main()
finally: print(*sys.modules, file=sys.stderr)"""
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(ran.stderr.split())


def test_help_loads_nothing_that_it_does_not_show() -> None:
    # A tenth of a second would be flaky; what takes the time is not.
    assert _loaded_by("--help") & {"boto3", "botocore", "rich", "troposphere", "yaml", "pydantic"} == set()


def test_the_table_of_commands_says_what_each_help_says() -> None:
    helps = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    first_lines = {
        name: (command.help or "").partition("\n")[0] for name, command in helps.items() if command
    }
    assert first_lines == {name: entry.summary for name, entry in COMMANDS.items()}


def test_every_command_that_people_use_has_an_example_that_names_it() -> None:
    without = [
        path
        for path, command in _leaves().items()
        if path not in _OF_BUILDS
        and not path.startswith("payments library")
        and f"\n  {path}" not in inspect.cleandoc(command.help or "").partition("Examples:")[2]
    ]
    assert without == []


def test_every_command_that_people_use_has_json() -> None:
    without = [
        path
        for path, command in _leaves().items()
        if path not in _OF_BUILDS | {"payments completion"}
        and "--json" not in {name for parameter in command.params for name in parameter.opts}
    ]
    assert without == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["ordr"], "order"),
        (["stauts"], "status"),
        (["rehears"], "rehearse"),
        (["order", "plase"], "place"),
        (["pipeline", "aprove"], "approve"),
        (["order", "list", "--parkd"], "--parked"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(typed: list[str], meant: str) -> None:
    result = CliRunner().invoke(main, typed)
    assert result.exit_code == 2
    assert "Did you mean" in result.stderr
    assert meant in result.stderr


def test_a_word_that_is_near_nothing_gets_no_suggestion() -> None:
    assert "Did you mean" not in CliRunner().invoke(main, ["xyzzy"]).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_and_installed_where_the_shell_looks(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    # When
    printed = CliRunner().invoke(main, ["completion", shell])
    installed = CliRunner().invoke(main, ["completion", "--install"])
    # Then
    assert "_PAYMENTS_COMPLETE" in printed.stdout
    assert installed.exit_code == 0, installed.output
    [file] = [path for path in tmp_path.rglob("*payments*") if path.is_file()]
    assert file.read_text(encoding="utf-8") == printed.stdout.removesuffix("\n")


def test_completion_offers_commands_without_loading_them() -> None:
    # When bash asks what follows `payments pi`
    asked = {"_PAYMENTS_COMPLETE": "bash_complete", "COMP_WORDS": "payments pi", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.main import main; main(prog_name='payments')"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    # Then
    assert ran.stdout.split() == ["plain,pipeline"]


def test_json_is_the_only_thing_on_standard_output(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["synth", "local", "--json", "--out", str(tmp_path)])
    assert [name.rpartition("/")[2] for name in json.loads(result.stdout)] == [
        "network.json",
        "payments.json",
    ]
