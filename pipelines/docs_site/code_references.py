"""What written pages say of the code by name: commands, options, make targets, files. All must exist."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

import click

from pipelines.docs_site.pages import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipelines.docs_site.drift import Drift

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
