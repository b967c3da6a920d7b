"""The `payments` command: its list of commands, and how it gets on with the machine that it runs on.

A command's module is loaded when the command is used, and `--help` loads none: it prints the table below.
What a command imports to run it imports when it runs (`deferral`), so its own help waits for none of that.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import click

from pipelines.cli import deferral
from pipelines.cli.grammar import with_suggestion
from pipelines.core import git

with deferral.until_run():
    from click import shell_completion

    from pipelines.cli import bash_completion, failures

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from click.shell_completion import CompletionItem


COMPLETE: Final = "_PAYMENTS_COMPLETE"
"""Under which a shell asks for completions; click derives it from the command's name."""


class Entry(NamedTuple):
    """A command of the table: the module and the function that hold it, and what it does in one line."""

    where: str
    summary: str


COMMANDS: Final = {
    "rehearse": Entry("rehearse:rehearse", "Promote a commit from a branch to production, on this machine."),
    "rehearse-bad": Entry("rehearse_bad:rehearse_bad", "Promote deliberately broken commits, here."),
    "up": Entry("embedded:up", "Start the embedded AWS, and keep it running."),
    "down": Entry("embedded:down", "Stop the embedded AWS, if one runs."),
    "repository": Entry("embedded:repository", "Register git repositories with the embedded AWS."),
    "console": Entry("status:console", "Show pipelines, gates, orders and environments in the browser."),
    "deploy": Entry("stacks:deploy", "Deploy an environment: network and payments."),
    "load": Entry("supplies:load", "Load products, users and orders from files."),
    "order": Entry("orders:order", "Place, show, trace, list, redrive, complete and adjust orders."),
    "stock": Entry("supplies:stock", "Add stock to a product."),
    "price": Entry("supplies:price", "Set the price of a product."),
    "credit": Entry("supplies:credit", "Add credit to a user's balance."),
    "wallet": Entry("supplies:wallet", "Set what a user pays with at Stripe."),
    "smoke": Entry("stacks:smoke", "Prove a deployment with synthetic orders."),
    "status": Entry("status:status", "Show an environment on one screen."),
    "settle": Entry("reconcile:settle", "Bring the ledger up to date, and prune what is settled."),
    "reconcile": Entry(
        "reconcile:reconcile", "Prove balances, stock, deliveries and card payments against the ledger."
    ),
    "init": Entry("setup:init", "Write the environment files, by asking what is yours."),
    "remove": Entry("stacks:remove", "Delete a payments stack, or everything of an environment."),
    "pipeline": Entry(
        "pipeline:pipeline", "Run the promotion pipelines: status, approvals, retries and rollbacks."
    ),
    "database": Entry("stacks:database", "Connect an environment with its database."),
    "provenance": Entry("provenance:provenance", "Verify where a release comes from."),
    "branch": Entry("branch:branch", "Show and remove the stacks of branches."),
    "prove": Entry("prove:prove", "Prove assumptions about AWS on an account that is lent for it."),
    "doctor": Entry("setup:doctor", "Examine an installation, and say how to fix each failure."),
    "synth": Entry("build:synth", "Write the CloudFormation templates."),
    "lint": Entry("lint:lint", "Check templates, workflow definitions and pipelines."),
    "check": Entry("build:check", "Check the source as a build does."),
    "package": Entry("build:package", "Build one reproducible zip per Lambda."),
    "audit": Entry("lint:audit", "Check the supply chain, the code and the templates."),
    "library": Entry("build:library", "Publish the library that all functions share."),
    "docs": Entry("docs:docs", "Build and publish the docs site; without a subcommand, build it."),
    "completion": Entry("setup:completion", "Print or install completion for bash, zsh or fish."),
}
"""Every command, those that a new user needs first at the top; a test compares each summary with the help."""


class Commands(click.Group):
    """A group that loads a command when it is used, suggests names for typos and reports errors in words."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands, those that a new user needs first at the top."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].where.partition(":")
        command: click.Command = getattr(import_module(f"pipelines.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name without loading any."""
        names = [
            shell_completion.CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names or click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or refuse with the names that come close.

        Raises:
            UsageError: There is no such command.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise with_suggestion(error, args, list(COMMANDS)) from None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Prepare this process for the machine it runs on, then run the command that its arguments name."""
        prepare()
        if COMPLETE in os.environ:
            bash_completion.register()
        try:
            return super().__call__(*args, **kwargs)
        except OSError as error:
            if error.filename is not None or error.errno not in _OUTPUT_LOST:
                raise
        _drop_output()
        raise SystemExit(1)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a refusal is printed in words and exits with 1."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise  # click's own way to say what was typed wrongly, and to end after a help
        except Exception:
            with failures.reported():
                raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="payment-system")
def main() -> None:
    """Run payments on AWS, or on an embedded AWS on this machine.

    \b
    Examples:
      payments rehearse                 promote a commit end to end, here
      payments up && payments deploy    an embedded AWS with a stack to look around in
      payments order show order-1       everything about one order
      payments status prod              one environment on one screen

    Every command has examples in its --help. PAYMENTS_ENVIRONMENT and PAYMENTS_STACK choose the stack for all
    commands; NO_COLOR=1 turns colours off.
    """


_OUTPUT_LOST: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What writing to standard output meets that is a full or a broken device."""


def _drop_output() -> None:
    """Say that standard output takes nothing more, and leave Python nothing to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with contextlib.suppress(OSError):
        click.echo("The output could not be written: its device is full or broken.", err=True)


_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PLAIN: Final = {
    "✓": "ok",
    "✗": "FAILED",
    "→": "->",
    "…": "...",
    "■": "=",
    "·": ".",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "“": '"',
    "”": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "│": "|",
    "─": "-",
}
"""How signs are written where the terminal's encoding lacks them; anything else is escaped."""
_HANDLER: Final = "payments.plain"


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Adapt this process, and so everything that it starts.

    Proxies never see requests to this machine, a sign that the output's encoding lacks is written in ASCII,
    a closed stream is replaced by one that drops what it gets, and a calling hook's variables are gone, as
    are those that say nothing.
    """
    git.forget_caller()
    forget_what_says_nothing(environment)
    spare_this_machine(environment)
    codecs.register_error(_HANDLER, _in_plain_signs)
    for name in ("stdin", "stdout", "stderr"):
        stream: IO[str] | None = getattr(sys, name)
        if stream is None:  # the caller closed it
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process's life
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def forget_what_says_nothing(environment: MutableMapping[str, str]) -> None:
    """Drop variables that are set to nothing, which botocore and Python take for a value; and no width."""
    for name, value in list(environment.items()):
        empty = not value and (name.startswith("AWS_") or name == "HOME")
        if empty or (name in {"COLUMNS", "LINES"} and not (value.isdecimal() and int(value))):
            del environment[name]


def spare_this_machine(environment: MutableMapping[str, str]) -> None:
    """Name this machine in NO_PROXY, in both spellings, since programs differ in which they read."""
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if "*" not in names:
        names += [name for name in _LOOPBACK if name not in names]
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join(names)


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failing = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in failing)
    return plain, error.end
