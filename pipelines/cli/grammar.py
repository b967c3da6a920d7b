"""The grammar of commands: noun, verb, argument; a typo is answered with the names that come close."""

from __future__ import annotations

import difflib
from typing import Final

import click

from pipelines.cli import deferral

PLACE: Final = "payments.place"
"""Under which a command line's endpoint, environment and stack are kept while it runs."""


class Command(click.Command):
    """A command that makes the imports that were put off before it runs."""

    def invoke(self, ctx: click.Context) -> object:
        """Run it."""
        deferral.run_imports()
        return super().invoke(ctx)


class Verbs(click.Group):
    """A group of verbs below a noun, which suggests names for typos."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or refuse with the names that come close.

        Raises:
            UsageError: There is no such verb.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise with_suggestion(error, args[0], self.list_commands(ctx)) from None


def with_suggestion(error: click.UsageError, word: str, names: list[str]) -> click.UsageError:
    """Return the error with the names that are close to the word, if any is."""
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    close += [name for name in names if name not in close and word and name.startswith(word)]
    if not close:
        return error
    return click.UsageError(f"{error.message.rstrip('.')}. Did you mean {' or '.join(close)}?", error.ctx)
