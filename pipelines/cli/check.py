"""`payments check`: whether this source is fit to be built."""

from __future__ import annotations

import click

from pipelines.build import check_cache
from pipelines.cli import console


@click.command()
@click.option("--again", is_flag=True, help="Check even a source that passed before.")
def check(again: bool) -> None:
    """Check the source as a build does.

    Runs `make check`: the linters, and the tests that need neither MongoDB nor an embedded AWS. A source that
    passed before, file for file, is not checked again; its reports are taken from .cache/checked.
    """
    found = check_cache.check(again=again)
    by = f" by {found.build}" if found.build else ""
    if found.reused:
        console.done(f"This very source passed at {found.at}{by}; its reports are reused.")
    else:
        console.done(f"Checked in {found.seconds:.0f} s.")
    console.out.print(f"source {found.source}", markup=False)
