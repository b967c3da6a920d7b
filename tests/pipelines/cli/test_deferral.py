"""What a command imports to run, its help and a shell's completion do not wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from environments import file_names
from pipelines.cli import deferral, grammar
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

_ASKED = """
import contextlib, io, json, os, sys, types
before = set(sys.modules)
from pipelines.cli.main import main
for words, variables in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    os.environ |= variables
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main(words, prog_name="payments")
    executed = [name for name, module in sys.modules.items() if type(module) is types.ModuleType]
    print(json.dumps([output.buffer.getvalue().decode(), sorted(set(executed) - before)]), flush=True)
    os._exit(0)
"""
"""Asks the command line each question in a process that has loaded nothing but it."""
_OURS = {"click", "environments", "payment_data", "pipelines", "embedded_aws"}
_PACKAGES = {"rich", "rich._extension"}
"""What finding a module of a package executes of that: no more than its first lines."""


def _ask(questions: list[tuple[list[str], dict[str, str]]]) -> list[tuple[str, set[str]]]:
    """Return for each command line, with its variables, what it prints and which libraries it loads."""
    ran = subprocess.run(
        [sys.executable, "-c", _ASKED],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(questions)
    known = sys.stdlib_module_names | _OURS
    return [
        (shown, {name for name in loaded if name.partition(".")[0] not in known} - _PACKAGES)
        for shown, loaded in answers
    ]


def test_no_help_loads_a_library_that_only_running_needs() -> None:
    # Given every group and every command
    paths = ["payments", *(path for path, _ in commands.every(main))]
    # When each is asked for its help
    answers = _ask([([*path.split()[1:], "--help"], {}) for path in paths])
    # Then it is shown, and of all libraries click alone was loaded: no boto3, troposphere, pydantic, rich
    for path, (shown, _) in zip(paths, answers, strict=True):
        assert shown.startswith(f"Usage: {path} "), path
    assert {path: loaded for path, (_, loaded) in zip(paths, answers, strict=True) if loaded} == {}


def _completing(shell: str, words: list[str]) -> tuple[list[str], dict[str, str]]:
    """How a shell asks what may stand for the last word; fish sends the word itself, others its place."""
    place = words[-1] if shell == "fish" else str(len(words) - 1)
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": place}
    return [], {"_PAYMENTS_COMPLETE": f"{shell}_complete"} | asked


_BRANCH = {
    "bash": ["plain,branch"],
    "zsh": ["plain", "branch", "_"],
    "fish": ["plain,branch"],
}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_offered_the_environments_of_this_checkout_at_once(shell: str) -> None:
    # Given every word that names an environment
    lines = [
        ["payments", "deploy", "bra"],
        ["payments", "status", "bra"],
        ["payments", "remove", "bra"],
        ["payments", "synth", "local", "bra"],
        ["payments", "doctor", "bra"],
        ["payments", "database", "connect", "bra"],
        ["payments", "order", "list", "-e", "bra"],
        ["payments", "load", "--environment", "bra"],
    ]
    # When the shell asks what it may be
    answers = _ask([_completing(shell, words) for words in lines])
    # Then it is told, by a command line that has loaded click alone
    assert [shown.split() for shown, _ in answers] == [_BRANCH[shell]] * len(lines)
    assert [loaded for _, loaded in answers if loaded] == []


def test_a_shell_is_offered_commands_without_any_being_loaded() -> None:
    [(shown, loaded)] = _ask([_completing("bash", ["payments", "pi"])])
    assert (shown.split(), loaded) == (["plain,pipeline"], set())


def test_where_nothing_is_typed_yet_all_environments_are_offered_and_for_remove_the_tools() -> None:
    names = [f"plain,{name}" for name in file_names.names(ROOT / "environments")]
    deploy, remove, lint = _ask(
        [_completing("bash", ["payments", command, ""]) for command in ("deploy", "remove", "lint")]
    )
    assert deploy[0].split() == names
    assert remove[0].split() == [*names, "plain,tools"]
    assert lint[0].split() == ["file,", *names]


def test_every_command_makes_its_imports_before_it_runs() -> None:
    leaves = {path: one for path, one in commands.every(main) if not isinstance(one, click.Group)}
    assert {path for path, one in leaves.items() if not isinstance(one, grammar.Command)} == set()


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package with a module that says when it is executed."""
    name = f"written_{os.getpid()}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "late.py").write_text("print('executed')\nANSWER = 42\n")
    (tmp_path / name / "broken.py").write_text("import nothing_of_this_name\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def _put_off(name: str) -> ModuleType:
    with deferral.until_run():
        return import_module(name)


def test_a_module_that_is_put_off_is_executed_once_by_whoever_uses_it_first(
    written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    late = _put_off(f"{written}.late")
    assert capsys.readouterr().out == ""
    assert (late.ANSWER, late.ANSWER) == (42, 42)
    assert capsys.readouterr().out == "executed\n"


def test_a_module_that_is_put_off_is_executed_before_the_command_runs(
    written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a command whose module put something off
    _put_off(f"{written}.late")

    @click.command(cls=grammar.Command)
    def command() -> None:
        click.echo("runs")

    # When its help is asked for, and when it runs
    CliRunner().invoke(command, ["--help"])
    helped = capsys.readouterr().out
    ran = CliRunner().invoke(command)
    # Then the help executed nothing
    assert helped == ""
    assert ran.output == "executed\nruns\n"


def test_what_is_not_installed_is_missed_at_once_and_what_that_needs_before_anything_runs(
    written: str,
) -> None:
    with pytest.raises(ModuleNotFoundError), deferral.until_run():
        import_module("nothing_of_this_name")
    _put_off(f"{written}.broken")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        deferral.run_imports()


def test_modules_are_executed_as_ever_outside_of_the_block(
    written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _put_off(f"{written}.broken")
    import_module(f"{written}.late")
    assert capsys.readouterr().out == "executed\n"
    with pytest.raises(ModuleNotFoundError):
        deferral.run_imports()
