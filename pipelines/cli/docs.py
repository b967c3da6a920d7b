"""`payments docs`: the docs site, published."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Verbs
from pipelines.core.repository import ROOT

with deferral.until_run():
    from pipelines.aws import accounts, build_environment, docs_bucket
    from pipelines.cli import terminal
    from pipelines.status import delivery


@click.group(cls=Verbs, invoke_without_command=True)
@options.machine_readable
@click.pass_context
def docs(context: click.Context, machine: bool) -> None:
    """Build and publish the docs site; without a subcommand, build it."""
    if context.invoked_subcommand is None:
        context.invoke(build, machine=machine)
    elif machine:
        _refuse_json(context)


def _refuse_json(context: click.Context) -> None:
    """Refuse --json before a subcommand, which has its own."""
    verb = f"{context.command_path} {context.invoked_subcommand}"
    raise click.UsageError(f"--json stands after the subcommand: {verb} --json")


@docs.command()
@options.machine_readable
def build(machine: bool = False) -> None:
    """Build the site into site/.

    From the pages in docs/ and those that are generated from the code. A missing link, or docs that
    disagree with the code, fail it.

    \b
    Examples:
      payments docs build
    """
    from pipelines.docs_site import building  # noqa: PLC0415 - loads troposphere, which `publish` has no use for

    with terminal.progress("building the docs site"):
        command = cast("click.Group", click.get_current_context().find_root().command)
        pages = building.build(ROOT, ROOT / "site", ROOT / ".cache" / "docs", command)
    terminal.finish(f"{pages} pages are in site/", {"pages": pages, "folder": "site"}, machine=machine)


@docs.command()
@options.machine_readable
def picture(machine: bool) -> None:
    """Redraw the diagram in README.md from the workflow and the release pipeline.

    \b
    Examples:
      payments docs picture
    """
    from pipelines.docs_site import stacks  # noqa: PLC0415 - loads troposphere
    from pipelines.docs_site.pages import promotion as drawing  # noqa: PLC0415 - loads troposphere

    file = ROOT / "README.md"
    redrawn = drawing.readme_redrawn(file.read_text(encoding="utf-8"), stacks.every()["pipelines"])
    file.write_text(redrawn, encoding="utf-8")
    terminal.finish("README.md shows the present definitions", {"file": file.name}, machine=machine)


@docs.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@options.machine_readable
def publish(folder: Path, machine: bool) -> None:
    """Publish what was built into DIR.

    To the folder that FOLDER names, of the bucket that DOCS_BUCKET names. A pipeline's build puts the four
    measures of the environment into the page that is there for them.

    \b
    Examples:
      FOLDER=staging DOCS_BUCKET=NAME payments docs publish site
    """
    place, tools = build_environment.variable("FOLDER"), accounts.connect_tools()
    docs_bucket.bucket()
    with terminal.progress(f"publishing {place}"):
        if place in delivery.STAGES and build_environment.by_a_pipeline():
            delivery.write_page(
                folder, place, delivery.measured(tools, build_environment.pipeline_name(), place)
            )
        count = docs_bucket.replace_folder(tools, folder, place)
    result = {"folder": place, "files": count}
    terminal.finish(f"{count} files are published to {place}/", result, machine=machine)


@docs.command()
@options.machine_readable
def remove(machine: bool) -> None:
    """Remove the preview of a branch that is gone.

    In the folder that FOLDER names, of the bucket that DOCS_BUCKET names.

    \b
    Examples:
      FOLDER=branches/STACK DOCS_BUCKET=NAME payments docs remove
    """
    place = build_environment.variable("FOLDER")
    with terminal.progress(f"removing {place}"):
        count = docs_bucket.remove_preview(accounts.connect_tools(), place)
    message = f"{count} files of {place}/ are gone" if count else f"There was nothing in {place}/"
    terminal.finish(message, {"folder": place, "files": count}, machine=machine)
