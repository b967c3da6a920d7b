"""Habits of the command line: help, examples, suggestions, completion, and JSON."""

from __future__ import annotations

import inspect
import json
import re
from types import CodeType, FunctionType
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pipelines.cli import grammar
from pipelines.cli.main import COMMANDS, main
from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from pathlib import Path

_OF_BUILDS = {
    *("payments branch pipeline", "payments branch show", "payments branch expire", "payments branch name"),
    *("payments pipeline settings", "payments pipeline evidence", "payments pipeline verify"),
    *("payments pipeline sign", "payments provenance public-key"),
    *("payments docs publish", "payments docs remove", "payments docs picture"),
}
"""Commands that builds run: a log shows nothing that moves."""


def _leaves() -> dict[str, click.Command]:
    return {path: command for path, command in commands.every(main) if not isinstance(command, click.Group)}


def test_the_table_of_commands_says_what_each_help_says() -> None:
    helps = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    first_lines = {
        name: (command.help or "").partition("\n")[0] for name, command in helps.items() if command
    }
    assert first_lines == {name: entry.summary for name, entry in COMMANDS.items()}


def test_every_command_has_an_example_that_names_it() -> None:
    # Given the examples of each command, with the variables that a build sets before it
    examples = {
        path: inspect.cleandoc(command.help or "").partition("Examples:")[2]
        for path, command in _leaves().items()
    }
    # Then one is the command itself
    assert [
        path
        for path, text in examples.items()
        if not re.search(rf"^  ([A-Z_]+=\S+ )*{path}( |$)", text, re.MULTILINE)
    ] == []


def test_a_group_tells_what_each_of_its_verbs_does_and_cuts_nothing_off() -> None:
    groups = {path: group for path, group in commands.every(main) if isinstance(group, click.Group)}
    for path, group in groups.items():
        shown = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*path.split()[1:], "--help"]).output
        words = " ".join(shown.split())
        for name, verb in group.commands.items():
            assert f"{name} {grammar.summary(verb)}" in words


def test_a_verb_is_told_by_its_first_paragraph_in_one_line() -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["order", "--help"]).output
    assert "redrive Redrive a parked order, and follow it until it ends. " in f"{' '.join(shown.split())} "
    assert "Fix what stopped it first" not in shown


def test_a_verb_that_is_hidden_is_in_no_list() -> None:
    verbs = {"brew": click.Command("brew", help="Make tea."), "beside": click.Command("beside", hidden=True)}
    shown = CliRunner().invoke(grammar.Verbs("tea", commands=verbs), ["--help"]).output
    assert ("brew  Make tea." in shown, "beside" in shown) == (True, False)


def test_every_command_has_json_but_the_one_that_prints_a_script() -> None:
    # Given every command line that does something: a group, too, where it needs no verb
    commands_run = _leaves() | {
        path: group
        for path, group in commands.every(main)
        if isinstance(group, click.Group) and group.invoke_without_command
    }
    assert "payments docs" in commands_run
    # Then
    without = [
        path
        for path, command in commands_run.items()
        if "--json" not in {name for parameter in command.params for name in parameter.opts}
    ]
    assert without == ["payments completion"]


_SHORT = {
    "payments completion": "writes one file",
    "payments init": "asks",
    "payments repository add": "reads one repository here",
    "payments console": "serves until it is stopped",
    "payments provenance verify": "reads files here",
    "payments check": "shows what make shows",
}
"""Commands without progress, and why they need none."""


def test_every_command_that_waits_for_something_shows_progress() -> None:
    silent = {path for path, command in _leaves().items() if not _shows_progress(_function(command))}
    assert silent - _OF_BUILDS == set(_SHORT)


def _function(command: click.Command) -> FunctionType:
    function = inspect.unwrap(command.callback or (lambda: None))
    assert isinstance(function, FunctionType)
    return function


def _shows_progress(function: FunctionType, seen: frozenset[object] = frozenset()) -> bool:
    """Whether a function, or one that it calls in its own module, draws something that moves."""
    called = [function.__globals__.get(name) for name in function.__code__.co_names]
    if any(
        name in {"progress", "Progress", "watching", "Journey", "print_journey"} for name in _names(function)
    ):
        return True
    return any(
        _shows_progress(inspect.unwrap(other), seen | {function})
        for other in called
        if isinstance(other, FunctionType)
        and inspect.unwrap(other).__module__ == function.__module__
        and other not in seen | {function}
    )


def _names(function: FunctionType) -> set[str]:
    nested = [constant for constant in function.__code__.co_consts if isinstance(constant, CodeType)]
    return {name for code in (function.__code__, *nested) for name in code.co_names}


def test_an_environment_is_the_argument_of_what_is_about_it_and_an_option_of_everything_else() -> None:
    # Given the arguments of each command, and whether --environment is an option of it
    mixed = {}
    for path, command in _leaves().items():
        arguments = {str(one.name) for one in command.params if isinstance(one, click.Argument)}
        option = any("--environment" in parameter.opts for parameter in command.params)
        about_it = arguments & {"environment", "environments"}
        # Then no command has it both ways, and what names an order, a product or files has the option
        if (option and about_it) or (about_it and arguments - about_it and "stack" in arguments):
            mixed[path] = arguments
        if option and not arguments and path != "payments order list":
            mixed[path] = arguments
    assert mixed == {}


def test_a_word_too_few_letters_long_is_answered_with_each_command_s_name() -> None:
    for path, _ in commands.every(main):
        words = path.split()[1:]
        typed = [*words[:-1], words[-1][:-1]]
        if path.rpartition(" ")[0] + " " + typed[-1] in dict(commands.every(main)):
            continue  # which is another command
        result = CliRunner().invoke(main, typed)
        assert result.exit_code == 2, path
        assert words[-1] in result.stderr.partition("Did you mean")[2], path


def test_every_command_refuses_an_option_that_it_lacks_with_2() -> None:
    codes = {
        path: CliRunner().invoke(main, [*path.split()[1:], "--nothing-like-it"]).exit_code
        for path in _leaves()
    }
    assert {path: code for path, code in codes.items() if code != 2} == {}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["help"], "payments --help?"),
        (["help", "order"], "payments order --help?"),
        (["order", "help"], "payments order --help?"),
        (["status", "-e", "prod"], "payments status prod?"),
        (["smoke", "--environment"], "payments smoke ENVIRONMENT?"),
        (["order", "list", "prod"], "--environment prod?"),
        (["order", "place", "order-1", "prod"], "--environment prod?"),
        (["ordr"], "order"),
        (["stauts"], "status"),
        (["rehears"], "rehearse"),
        (["order", "plase"], "place"),
        (["pipeline", "aprove"], "approve"),
        (["order", "list", "--parkd"], "--parked"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(typed: list[str], meant: str) -> None:
    result = CliRunner().invoke(main, typed, prog_name="payments")
    assert result.exit_code == 2
    assert meant in result.stderr.partition("Did you mean")[2]


@pytest.mark.parametrize("typed", [["xyzzy"], ["order", "list", "xyzzy"], ["pipeline", "status", "-e"]])
def test_what_is_near_nothing_gets_no_suggestion(typed: list[str]) -> None:
    assert "Did you mean" not in CliRunner().invoke(main, typed).stderr


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
    # And who uses zsh is told where that has to look, which others do anyway
    assert (f"fpath+=({file.parent})" in installed.stderr) == (shell == "zsh")


def test_json_is_the_only_thing_on_standard_output(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["synth", "local", "--json", "--out", str(tmp_path)])
    assert [name.rpartition("/")[2] for name in json.loads(result.stdout)] == [
        "network.json",
        "payments.json",
    ]
