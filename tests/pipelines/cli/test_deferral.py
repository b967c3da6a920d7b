"""What a command imports to run, its help and a shell's completion do not wait for."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from environments import file_names
from pipelines.cli import deferral, grammar
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ASKED = """
import contextlib, io, json, os, sys
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
    print(json.dumps([output.buffer.getvalue().decode(), sorted(set(sys.modules) - before)]), flush=True)
    os._exit(0)
"""
"""Asks the command line each question in a process that has loaded nothing but it."""
_OURS = {"click", "environments", "payment_data", "pipelines", "embedded_aws"}


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
        (shown, {name for name in loaded if name.partition(".")[0] not in known}) for shown, loaded in answers
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


def test_where_nothing_is_typed_yet_all_environments_are_offered_and_what_else_a_command_takes() -> None:
    names = [f"plain,{name}" for name in file_names.names(ROOT / "environments")]
    deploy, remove, lint = _ask(
        [_completing("bash", ["payments", command, ""]) for command in ("deploy", "remove", "lint")]
    )
    assert deploy[0].split() == names
    assert remove[0].split() == [*names, "plain,tools"]
    assert lint[0].split() == ["file,", *names, "plain,pipelines"]


def test_every_command_makes_its_imports_before_it_runs() -> None:
    leaves = {path: one for path, one in commands.every(main) if not isinstance(one, click.Group)}
    assert {path for path, one in leaves.items() if not isinstance(one, grammar.Command)} == set()


_COMMANDS = """
import click
from pipelines.cli import deferral, grammar
with deferral.until_run():
    from {package} import {module}
@click.command(cls=grammar.Command)
def command():
    click.echo("runs")
"""


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a module of one command, which puts off a module that is written so; nothing else is put off."""
    monkeypatch.setattr(deferral, "_deferred", [])
    package = f"written_{os.getpid()}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    def declare(written: str) -> Any:
        (tmp_path / package / "late.py").write_text(written)
        commands = _COMMANDS.format(package=package, module="late")
        (tmp_path / package / "commands.py").write_text(commands)
        return import_module(f"{package}.commands")

    yield declare
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        del sys.modules[module]


def test_a_module_is_imported_by_a_command_that_runs_and_not_by_its_help(
    declared: Callable[[str], Any],
) -> None:
    module = declared("print('imported')\n")
    assert "imported" not in CliRunner().invoke(module.command, ["--help"]).output
    assert CliRunner().invoke(module.command).output == "imported\nruns\n"
    assert CliRunner().invoke(module.command).output == "runs\n"


def test_a_module_that_was_put_off_is_the_module_itself_to_whoever_uses_it(
    declared: Callable[[str], Any],
) -> None:
    # Given a module that nobody has imported
    late = declared("answer = 42\ndef ask(): return answer\n").late
    assert late.__name__ not in sys.modules
    # When it is used, and changed
    assert late.ask() == 42
    late.answer = 43
    # Then so is the module that everybody else imports
    assert import_module(late.__name__).ask() == 43


def test_a_module_that_needs_what_is_not_installed_is_missed_before_anything_is_done(
    declared: Callable[[str], Any],
) -> None:
    module = declared("import nothing_of_this_name\n")
    ran = CliRunner().invoke(module.command)
    assert ran.output == ""
    assert isinstance(ran.exception, ModuleNotFoundError)


def test_an_import_that_would_bind_another_module_than_it_names_is_refused() -> None:
    ordinary = builtins.__import__
    with pytest.raises(ImportError, match="say from xml import dom"), deferral.until_run():
        import xml.dom  # noqa: F401, PLC0415 - the claim
    assert builtins.__import__ is ordinary


def test_other_threads_import_as_ever(declared: Callable[[str], Any]) -> None:
    # Given a module of which nothing is imported
    name = declared("answer = 42\n").late.__name__
    # When another thread imports it while this one declares commands
    imported: dict[str, Any] = {}
    with ThreadPoolExecutor(1) as thread, deferral.until_run():
        thread.submit(exec, f"from {name} import answer", imported).result()
    # Then it has it
    assert imported["answer"] == 42
