"""`payments completion`: names of commands, options and environments, completed by the shell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from pipelines.cli import terminal
from pipelines.core.refusals import Refused

_PLACES: Final = {
    "bash": Path(".local/share/bash-completion/completions/payments"),
    "zsh": Path(".local/share/zsh/site-functions/_payments"),
    "fish": Path(".config/fish/completions/payments.fish"),
}
"""Where each shell looks for completions, below the home folder."""
_VARIABLE: Final = "_PAYMENTS_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(list(_PLACES)), required=False)
@click.option("--install", is_flag=True, help="Write it where the shell looks for it.")
def completion(shell: str | None, install: bool) -> None:
    """Print or install completion for bash, zsh or fish.

    Without SHELL it is the one that runs this command, by the variable SHELL.

    \b
    Examples:
      payments completion --install
      payments completion zsh > ~/.zfunc/_payments
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in _PLACES:
        raise Refused(f"There is no completion for the shell {name!r}.", "payments completion bash")
    root = click.get_current_context().find_root()
    source = get_completion_class(name)
    if source is None:
        raise Refused(f"There is no completion for the shell {name!r}.")
    script = source(root.command, {}, "payments", _VARIABLE).source()
    if not install:
        click.echo(script)
        return
    place = Path.home() / _PLACES[name]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(script, encoding="utf-8")
    terminal.done(f"{place} completes payments in a new {name}.")
    if name == "zsh":
        terminal.err.print(f"  zsh must look there: fpath+=({place.parent}) before compinit in ~/.zshrc")
