"""What pages say of the repository: names of commands, targets and files, which must exist, and its rooms."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Final

import click

from pipelines.docs_site.markdown import code, prose, table
from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipelines.docs_site.markdown import Drift


_FENCE: Final = re.compile(r"^( *)```(?:sh|bash|console)\b.*?\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_ANY_FENCE: Final = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_FILE: Final = re.compile(
    r"(?:docs|environments|lambdas|pipelines|templates|tests)/[\w./-]*[\w/]"
    r"|(?:mkdocs\.yml|buildspec\.yml|Makefile|pyproject\.toml|uv\.lock)"
)
_TARGET: Final = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


class CodeReferences:
    """Looks for names that the code does not have."""

    def __init__(self, root: Path, group: click.Group, drift: Drift) -> None:
        self._root = root
        self._commands: Mapping[str, click.Command] = dict(commands.every(group))
        self._targets = set(_TARGET.findall((root / "Makefile").read_text(encoding="utf-8")))
        self._drift = drift

    def check(self, page: str, text: str) -> None:
        """Look through one page."""
        for line in _command_lines(text):
            self._check_line(page, line)
        for named in _INLINE.findall(_ANY_FENCE.sub("", text)):
            mention = " ".join(named.split())
            self._check_line(page, mention)
            if _FILE.fullmatch(mention) and not (self._root / mention).exists():
                self._drift.note(f"{page} names {mention}, which is not there.")

    def _check_line(self, page: str, line: str) -> None:
        words = _words(line)
        if words[:1] == ["make"]:
            for target in words[1:]:
                if re.fullmatch(r"[a-z][a-z-]*", target) and target not in self._targets:
                    self._drift.note(f"{page} says `make {target}`, which Makefile does not have.")
        elif words[:1] in (["payments"], [".venv/bin/payments"]):
            self._check_command(page, words[1:])

    def _check_command(self, page: str, words: list[str]) -> None:
        path = "payments"
        while words and f"{path} {words[0]}" in self._commands:
            path = f"{path} {words.pop(0)}"
        command = self._commands.get(path)
        if words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and isinstance(command, click.Group | None):
            self._drift.note(f"{page} says `{path} {words[0]}`, a command that pipelines/cli does not have.")
            return
        if command is None:
            return
        options = {
            name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]
        }
        for word in words:
            option = word.partition("=")[0]
            if re.fullmatch(r"--?[a-z][a-z-]*", option) and option not in options | {"--help", "-h"}:
                self._drift.note(
                    f"{page} says `{path} {option}`, an option that {commands.source(command)} does not have."
                )


def _command_lines(text: str) -> Iterator[str]:
    for _, block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.strip().removeprefix("$ ")


def _words(line: str) -> list[str]:
    """Return the words of the first command of a line; a pipe or a redirection ends it."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    end = next((index for index, word in enumerate(words) if word in {"|", "&&", ";", ">", "…"}), len(words))
    return words[:end]


PARTS: Final = {
    "environments": "environments",
    "embedded": "environments/embedded/src/embedded_aws",
    "lambdas": "lambdas",
    "templates": "templates",
    "pipelines": "pipelines",
}
"""Where each table's packages are, by the name that pages use: `rooms.pipelines`."""
_LONGEST: Final = 160
_SENTENCE_END: Final = re.compile(r"(?<=\.)\s+(?=[A-Z`])")


def room_tables(root: Path, drift: Drift) -> dict[str, str]:
    """Return a table of packages for each part of the house, by the name that pages use.

    A package without a docstring, or whose first sentence is longer than a line of the table, is drift.
    """
    return {name: _table(root, folder, drift) for name, folder in PARTS.items()}


def import_contracts(root: Path) -> str:
    """Return the import contracts by name, as a list."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    names = [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]
    return "\n".join(f"- {name}." for name in names)


def _table(root: Path, folder: str, drift: Drift) -> str:
    rows = []
    for path in sorted((root / folder).rglob("__init__.py"), key=lambda path: path.parent):
        room = path.parent.relative_to(root).as_posix()
        if _is_nested_part(room, folder) or "/tests" in room:
            continue
        source = f"{room}/__init__.py"
        story = first_sentence(path.read_text(encoding="utf-8"))
        if not story:
            drift.note(f"{source} has no docstring; docs/start/repository.md is made of its first sentence.")
        elif len(story) > _LONGEST:
            drift.note(f"The first sentence of {source} is {len(story)} characters long, over {_LONGEST}.")
        rows.append([code(f"{room}/"), prose(story)])
    return table(["Room", "What it is for"], rows)


def first_sentence(source: str) -> str:
    """Return the first sentence of a module's docstring; empty where it has none."""
    text = ast.get_docstring(ast.parse(source)) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return _SENTENCE_END.split(paragraph)[0]


def _is_nested_part(room: str, folder: str) -> bool:
    return any(
        part != folder and len(part) > len(folder) and room.startswith(part) for part in PARTS.values()
    )
