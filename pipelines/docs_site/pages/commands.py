"""The command line, from its own help."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import click

from pipelines.docs_site.markdown import code, lines, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.markdown import Drift

_PAGE: Final = "reference/commands.md"


def every(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group with its whole name."""
    yield from _below(group, "payments", click.Context(group))


def _below(group: click.Group, path: str, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _below(command, f"{path} {name}", context)


def commands_page(group: click.Group, drift: Drift) -> str:
    """Return the page of commands; a command or an option without help is drift."""
    commands = list(every(group))
    leaves = [(path, command) for path, command in commands if not isinstance(command, click.Group)]
    index = [
        [f"[{code(path)}](#{path.replace(' ', '-')})", prose(_first(command))] for path, command in leaves
    ]
    parts = [table(["Command", "What it does"], index)]
    for path, command in commands:
        defined = source(command)
        drift.described(command.help, f"The command {path}", defined, _PAGE)
        if not isinstance(command, click.Group):
            parts += [f"## {path}\n", *_command(path, command, defined, drift)]
    return page(
        "The command line",
        ["pipelines/cli"],
        "Every command prints this with `--help`; those that people use take `--json` for machines. A command"
        " ends with 0 when it did what was asked, with 1 when it could not, and with 2 when it was typed"
        " wrongly. `payments completion --install` completes names in bash, zsh and fish.\n",
        *parts,
    )


def _command(path: str, command: click.Command, defined: str, drift: Drift) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{path} {pieces}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield _paragraph(paragraph)
    rows = []
    # Its own, without --help: click makes and keeps that for whoever asks first, with that one's names.
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            what = f"The option {option.opts[0]} of {path}"
            meaning = drift.described(option.help, what, defined, _PAGE)
            rows.append(
                [lines(code(name) for name in [*option.opts, *option.secondary_opts]), prose(meaning)]
            )
    if rows:
        yield table(["Option", "What it does"], rows)


def _paragraph(text: str) -> str:
    """Return a paragraph of a help text; what click leaves unwrapped are lines of examples."""
    verbatim, _, lines_of_text = text.partition("\b\n")
    if verbatim:
        return f"{prose(text)}\n"
    title, *examples = lines_of_text.splitlines()
    return f"{prose(title)}\n\n```text\n{inspect.cleandoc(chr(10).join(examples))}\n```\n"


def _first(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").partition("\n\n")[0]


def source(command: click.Command) -> str:
    """Return the file that a command is in."""
    module = getattr(command.callback, "__module__", "pipelines.cli")
    return module.replace(".", "/") + ".py"
