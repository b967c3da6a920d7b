"""The grammar of commands: noun, verb, argument; what was typed wrongly is answered with what comes close."""

from __future__ import annotations

import difflib
import inspect
from typing import Final

import click

from environments import file_names
from pipelines.cli import deferral

PLACE: Final = "payments.place"
"""Under which a command line's endpoint, environment and stack are kept while it runs."""
_ENVIRONMENT: Final = ("-e", "--environment")


class Command(click.Command):
    """A command that imports what was put off before it runs, and knows where an environment is said."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of a command.

        Raises:
            UsageError: They are wrong; where an environment is an argument and was given as an option, or the
                other way round, the error says how it is said here.
        """
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            meant = self._meant(ctx, error, typed)
            if not meant:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}. Did you mean {meant}?", ctx) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run it."""
        deferral.run_imports()
        return super().invoke(ctx)

    def _meant(self, ctx: click.Context, error: click.UsageError, typed: list[str]) -> str:
        """Return how the environment that was typed is said to this command, nothing where that is not it."""
        name = next((word for word in typed if word in file_names.names()), "")
        argument = any(parameter.name in {"environment", "environments"} for parameter in self.params)
        option = any("--environment" in parameter.opts for parameter in self.params)
        if isinstance(error, click.NoSuchOption):
            asked = error.option_name in _ENVIRONMENT and argument
            return f"{ctx.command_path} {name or 'ENVIRONMENT'}" if asked else ""
        extra = type(error) is click.UsageError  # click has no class of its own for a word too many
        return f"--environment {name}" if extra and option and name else ""


class Verbs(click.Group):
    """A group of verbs below a noun, which suggests names for typos."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each verb with its whole first sentence, which click would cut off."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(verb)) for name, verb in verbs if verb and not verb.hidden])

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
            raise with_suggestion(error, args, self.list_commands(ctx)) from None


def summary(command: click.Command) -> str:
    """Return what a command does: the first paragraph of its help, in one line."""
    return " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())


def with_suggestion(error: click.UsageError, words: list[str], names: list[str]) -> click.UsageError:
    """Return the error with the names that are close to the first of the words, if any is."""
    word, *rest = words
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    close += [name for name in names if name not in close and word and name.startswith(word)]
    if word == "help" and error.ctx is not None:
        close = [" ".join([error.ctx.command_path, *rest, "--help"])]
    if not close:
        return error
    return click.UsageError(f"{error.message.rstrip('.')}. Did you mean {' or '.join(close)}?", error.ctx)
