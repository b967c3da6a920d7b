"""Completion in bash, which splits `prod=PROFILE` into three words; click's own does not join them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click.shell_completion import BashComplete, add_completion_class, split_arg_string

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class JoiningBashComplete(BashComplete):
    """Joins what bash split at `=`, and answers with what stands after the last one."""

    _kept = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that one as far as it is typed."""
        words, place = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        joined: list[str] = []
        for word in words[1 : place + 1]:
            if joined and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        incomplete = joined.pop() if joined and place < len(words) else ""
        value = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
        self._kept = "".join(value.rpartition("=")[:2])
        return joined, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return a completion's type and text, without what bash leaves in front of the text."""
        return f"{item.type},{item.value.removeprefix(self._kept)}"


def register() -> None:
    """Have click complete in bash with it."""
    add_completion_class(JoiningBashComplete)
