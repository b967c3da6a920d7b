"""The `payments` command: its list of commands, suggestions for typos, and what an error looks like.

A command's module is loaded when the command is used, and `--help` loads none: it prints the table below. So
`payments up` does not wait for troposphere, nor completion for boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pipelines.cli import host
from pipelines.cli.grammar import with_suggestion

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """A command of the table: the module and the function that hold it, and what it does in one line."""

    where: str
    summary: str


COMMANDS: Final = {
    "rehearse": Entry("rehearse:rehearse", "Promote a commit from a branch to production, on this machine."),
    "rehearse-bad": Entry("rehearse_bad:rehearse_bad", "Promote deliberately broken commits, here."),
    "up": Entry("embedded:up", "Start the embedded AWS, and keep it running."),
    "down": Entry("embedded:down", "Stop the embedded AWS, if one runs."),
    "repository": Entry("repository:repository", "Register git repositories with the embedded AWS."),
    "console": Entry("console:console", "Show pipelines, gates, orders and environments in the browser."),
    "deploy": Entry("stacks:deploy", "Deploy an environment: network and payments."),
    "load": Entry("orders:load", "Load products, users and orders from files."),
    "order": Entry("orders:order", "Place, show, list, redrive and adjust orders."),
    "stock": Entry("supplies:stock", "Add stock to a product."),
    "price": Entry("supplies:price", "Set the price of a product."),
    "credit": Entry("supplies:credit", "Add credit to a user's balance."),
    "wallet": Entry("supplies:wallet", "Set what a user pays with at Stripe."),
    "smoke": Entry("orders:smoke", "Prove a deployment with synthetic orders."),
    "status": Entry("status:status", "Show an environment on one screen."),
    "settle": Entry("reconcile:settle", "Bring the ledger up to date, and prune what is settled."),
    "reconcile": Entry(
        "reconcile:reconcile", "Prove balances, stock, deliveries and card payments against the ledger."
    ),
    "init": Entry("init:init", "Write the environment files, by asking what is yours."),
    "remove": Entry("stacks:remove", "Delete a payments stack."),
    "pipeline": Entry(
        "pipeline:pipeline", "Run the promotion pipelines: status, approvals, retries and rollbacks."
    ),
    "database": Entry("database:database", "Connect an environment with its database."),
    "provenance": Entry("provenance:provenance", "Verify where a release comes from."),
    "branch": Entry("branch:branch", "Show and remove the stacks of branches."),
    "doctor": Entry("doctor:doctor", "Examine an installation, and say how to fix each failure."),
    "synth": Entry("build:synth", "Write the CloudFormation templates."),
    "lint": Entry("lint:lint", "Check templates, workflow definitions and pipelines."),
    "check": Entry("build:check", "Check the source as a build does."),
    "package": Entry("build:package", "Build one reproducible zip per Lambda."),
    "audit": Entry("audit:audit", "Check the supply chain, the code and the templates."),
    "library": Entry("build:library", "Publish the library that all functions share."),
    "docs": Entry("docs:docs", "Build and publish the docs site; without a subcommand, build it."),
    "completion": Entry("completion:completion", "Print or install completion for bash, zsh or fish."),
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
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names or click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or refuse with the names that come close."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise with_suggestion(error, args[0], list(COMMANDS)) from None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Prepare this process for the machine it runs on, then run the command that its arguments name."""
        host.prepare()
        return super().__call__(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a refusal is printed in words and exits with 1."""
        from pipelines.cli.failures import reported  # noqa: PLC0415 - loads boto3, which `--help` does not need

        with reported():
            return super().invoke(ctx)


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
