"""`payments repository`: the git repositories that connections of the embedded AWS reach."""

from __future__ import annotations

from pathlib import Path

import click

from embedded_aws import instance
from pipelines.cli import local_aws, options, terminal
from pipelines.cli.grammar import Verbs
from pipelines.core.refusals import Refused


@click.group(cls=Verbs)
def repository() -> None:
    """Register git repositories with the embedded AWS."""


@repository.command()
@click.argument("full_name", metavar="OWNER/NAME")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@options.machine_readable
def add(full_name: str, path: Path, machine: bool) -> None:
    """Let the pipelines of the embedded AWS read the git repository at PATH as OWNER/NAME.

    A source action names it so, of whichever provider. Commits made from now on start the pipelines whose
    triggers they match.

    \b
    Examples:
      payments repository add your-company/payments .
    """
    if local_aws.running() is None:
        raise Refused("The embedded AWS is not running.", "payments up")
    try:
        instance.register_repository(local_aws.ROOT, full_name, path)
    except instance.RepositoryUnavailable as error:
        raise Refused(f"{path.resolve()} is not a git repository.", "git init") from error
    terminal.finish(
        f"The embedded AWS reads {path.resolve()} as {full_name}.",
        {"repository": full_name, "path": str(path.resolve())},
        machine=machine,
    )
