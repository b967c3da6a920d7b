"""Every command that we print can be pasted: its words, options and arguments are ones that we accept."""

from __future__ import annotations

import re
import shlex
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from pipelines.cli import embedded, rehearse, terminal, views
from pipelines.cli.grammar import PLACE
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.promotion.control import PendingApproval

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_QUESTION = PendingApproval("Approve", "Approve", "token-1", "execution-1", "what would change", "https://e")
_ENDPOINT = "http://127.0.0.1:4566"
_TOOLS: Any = SimpleNamespace(
    endpoint=_ENDPOINT, environment=SimpleNamespace(account="999999999999", region="eu-central-1")
)
_LITERAL = re.compile(r"[\"'`](?:[^\"'`\n]*[;:] )?(payments [a-z-]+(?: [^\"'`\n]*)?)[\"'`]")


def accepted(command: str) -> bool:
    """Whether the command line takes these words; nothing is run."""
    words = shlex.split(command)[1:]
    current: click.Command = main
    context = click.Context(main, info_name="payments")
    while isinstance(current, click.Group) and words and not words[0].startswith("-"):
        found = current.get_command(context, words[0])
        if found is None:
            return False
        current, context = found, click.Context(found, parent=context, info_name=words.pop(0))
    try:
        current.make_parser(context).parse_args(list(words))
    except click.UsageError:
        return False
    return True


def commands_in(text: str) -> Iterator[str]:
    """The commands of `payments` in a text, with their continued lines."""
    for line in text.replace("\\\n", " ").splitlines():
        if found := re.search(r"(?:^|\s)(payments [a-z].*?)(?:\s{3,}|$)", line):
            yield found[1].strip()


def test_the_commands_of_a_gate_that_is_left_open_are_accepted_and_name_everything_they_need() -> None:
    # When
    text = rehearse.how_to_answer(_QUESTION, "payments-Release", _TOOLS)
    # Then ours are accepted, and reach the same endpoint and execution
    ours = list(commands_in(text))
    assert [command for command in ours if not accepted(command)] == []
    assert len(ours) == 3
    assert all(f"--endpoint-url {_ENDPOINT}" in command for command in ours)
    assert all("--execution execution-1 --summary WHY" in command for command in ours[:2])
    # And that of `aws` has credentials and a region beside it, so that it runs in any shell
    [aws] = re.findall(r"^  (AWS_ACCESS_KEY_ID.*)$", text.replace("\\\n", " "), re.MULTILINE)
    assert (
        "AWS_ACCESS_KEY_ID=999999999999 AWS_SECRET_ACCESS_KEY=embedded AWS_DEFAULT_REGION=eu-central-1" in aws
    )
    assert "--token token-1" in aws


@pytest.mark.parametrize("endpoint", [None, _ENDPOINT])
def test_the_commands_of_a_pipeline_s_status_reach_where_it_was_asked(endpoint: str | None) -> None:
    for command in commands_in(views.answering(_QUESTION, "release", endpoint)):
        assert accepted(command)
        assert ("--endpoint-url" in command) == (endpoint is not None)


def test_what_up_and_a_rehearsal_suggest_next_is_accepted() -> None:
    local: Any = SimpleNamespace(endpoint=_ENDPOINT)
    texts = [embedded.next_steps(), *(rehearse._next_commands(local, stays=stays) for stays in (True, False))]
    assert [command for text in texts for command in commands_in(text) if not accepted(command)] == []


def test_every_hint_in_the_code_is_a_command_that_exists() -> None:
    # Given each literal of ours that holds a command, with what is filled in as some word
    hints = {
        (path.relative_to(ROOT).as_posix(), re.sub(r"\{[^{}]*\}", "X", hint))
        for path in sorted((ROOT / "pipelines").rglob("*.py"))
        for hint in _LITERAL.findall(path.read_text(encoding="utf-8"))
    }
    # Then each begins as a command does
    unknown = []
    for path, hint in hints:
        words = re.split(r"[ ,;.:]+", hint.strip())
        command: click.Command | None = main
        for word in words[1:]:
            if not isinstance(command, click.Group) or not re.fullmatch(r"[a-z][a-z-]*", word):
                break
            command = command.get_command(click.Context(command), word)
        if command is None:
            unknown.append((path, hint))
    assert len(hints) > 10
    assert unknown == []


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("payments pipeline status release", "payments pipeline status release --endpoint-url http://e:1"),
        (
            "payments order list --parked",
            "payments order list --parked --environment prod --endpoint-url http://e:1 --stack 'my stack'",
        ),
        ("payments status", "payments status prod --endpoint-url http://e:1 --stack 'my stack'"),
        (
            "payments pipeline status --endpoint-url http://f:2",
            "payments pipeline status --endpoint-url http://f:2",
        ),
        ("payments up", "payments up"),
        ("Fix it, and payments status", "Fix it, and payments status"),
    ],
)
def test_a_suggested_command_looks_where_the_refused_one_looked(hint: str, shown: str) -> None:
    # Given a command line that says where to look
    with click.Context(main, info_name="payments") as context:
        context.meta[PLACE] = {
            "endpoint_url": "http://e:1",
            "environment": "prod",
            "stack": "my stack",
        }
        # Then what it suggests says so, too, as far as that takes it
        assert terminal._in_the_same_place(hint) == shown


def test_a_command_that_is_not_on_the_path_is_printed_as_a_shell_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a checkout in whose name a shell finds much to stumble over
    installed = tmp_path / "it's a \\1 clone" / ".venv" / "bin" / "payments"
    monkeypatch.setattr(sys, "argv", [str(installed)])
    monkeypatch.setenv("PATH", str(tmp_path))
    for folder, shown in ((tmp_path, installed.relative_to(tmp_path)), (ROOT, installed)):
        # When it suggests a command, from beside the checkout or from anywhere
        monkeypatch.chdir(folder)
        text = terminal.runnable("Next: payments up && payments deploy")
        # Then a shell finds the command in it
        assert shlex.split(text) == ["Next:", str(shown), "up", "&&", str(shown), "deploy"]


def test_a_command_line_that_names_its_endpoint_is_remembered_and_a_variable_is_not() -> None:
    # Given one command line with an option, and one whose shell has a variable, which later commands have too
    for arguments, variables, remembered in (
        (["pipeline", "status", "--endpoint-url", "http://127.0.0.1:1"], {}, {"endpoint_url"}),
        (["smoke", "staging"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {"environment"}),
    ):
        places: list[dict[str, str]] = []

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                terminal,
                "refuse",
                lambda *_, seen=places: seen.append(click.get_current_context().meta.get(PLACE, {})),
            )
            CliRunner(env=variables).invoke(main, arguments)
        assert [set(place) for place in places] == [remembered]
