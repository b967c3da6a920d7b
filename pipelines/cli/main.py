"""The `payments` command: its list of commands, and what an error looks like."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from pipelines.core import git

_COMMANDS: Final = {
    "synth": "build:synth",
    "lint": "lint:lint",
    "check": "build:check",
    "package": "build:package",
    "audit": "audit:audit",
    "library": "build:library",
    "up": "embedded:up",
    "down": "embedded:down",
    "deploy": "stacks:deploy",
    "remove": "stacks:remove",
    "load": "orders:load",
    "order": "orders:order",
    "settle": "reconcile:settle",
    "reconcile": "reconcile:reconcile",
    "smoke": "orders:smoke",
    "status": "status:status",
    "doctor": "doctor:doctor",
    "pipeline": "pipeline:pipeline",
    "branch": "branch:branch",
    "docs": "docs:docs",
    "rehearse": "rehearse:rehearse",
    "rehearse-bad": "rehearse_bad:rehearse_bad",
}
"""Where each command is; loaded when used, so that `payments up` does not wait for troposphere."""


class Commands(click.Group):
    """A group that loads a command when it is used, and that tells errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands, those that a new user needs first at the top."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"pipelines.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what it refuses is said in words and ends with 1."""
        git.forget_caller()
        from pipelines.cli.failures import reported  # noqa: PLC0415 - loads boto3, which `--help` has no use for

        with reported():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="payment-system")
def main() -> None:
    """Run payments on AWS, or on an embedded AWS on this machine.

    Start with `payments rehearse`, or with `payments up`, `payments deploy`, `payments load` and
    `payments order place`.
    """
