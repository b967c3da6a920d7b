"""`payments synth`, `payments package` and `payments library`: what is deployed, and what it is made of."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command, Verbs
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST, ROOT

with deferral.until_run():
    from environments import schema
    from pipelines.build import check_cache, package_manifest, packaging
    from pipelines.cli import terminal
    from pipelines.deploy import embedded_overrides
    from pipelines.deploy import synth as synthesis
    from pipelines.promotion import publish_release

if TYPE_CHECKING:
    from pipelines.core.reporting import Reporter

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]…", type=options.ENVIRONMENT)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=DIST / "templates",
    help="The folder to write to; [default: dist/templates]",
)
@options.machine_readable
def synth(environments: tuple[str, ...], out: Path, machine: bool) -> None:
    """Write the CloudFormation templates.

    Those of the ENVIRONMENTs, or of all of them.

    \b
    Examples:
      payments synth
      payments synth prod --out /tmp/templates
    """
    written: list[str] = []
    with terminal.progress("writing templates") as reporter:
        for environment in [schema.load(name) for name in environments or schema.names()]:
            reporter.passing(f"writing the templates of {environment.name}")
            paths = synthesis.synth(embedded_overrides.environment(environment), out).values()
            written += [_shown(path) for path in paths]
    if machine:
        terminal.as_json(written)
    else:
        terminal.out.print("\n".join(written), markup=False)


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Build twice in different folders and compare the bytes.")
@click.option("--published", is_flag=True, help="Build with the library that `library publish` published.")
@click.option("--built", type=_FOLDER, metavar="DIR", help="Build nothing: take what was built into DIR.")
@click.option("--upload", is_flag=True, help="Upload them to the bucket that PAYMENTS_PACKAGE_BUCKET names.")
@options.machine_readable
def package(check: bool, published: bool, built: Path | None, upload: bool, machine: bool) -> None:
    """Build one reproducible zip per Lambda.

    Also writes the manifest of their digests, and an SBOM (CycloneDX) beside each.

    \b
    Examples:
      payments package
      payments package --check
    """
    if built is not None and (published or check):
        raise click.UsageError("--built takes what is there; it goes with neither --published nor --check")
    with terminal.progress("packaging") as reporter:
        different = packaging.differences() if check else []
        if different:
            raise Refused(f"Two builds of one source differ in: {', '.join(different)}")
        manifest = _packages(built, reporter, published=published)
        if upload:
            publish_release.upload(manifest, built or package_manifest.PACKAGES, reporter)
    if machine:
        terminal.as_json({name: asdict(package_file) for name, package_file in manifest.items()})
        return
    for name, package_file in manifest.items():
        terminal.out.print(f"{package_file.sha256}  {package_file.bytes / 1e6:5.2f} MB  {name}", markup=False)
    twice = "two builds gave the same bytes; " if check else ""
    where = (built or package_manifest.PACKAGES) / "manifest.json"
    terminal.done(f"{len(manifest)} packages: {twice}see {_shown(where)}")


@click.group(cls=Verbs)
def library() -> None:
    """Publish the library that all functions share."""


@library.command()
@options.machine_readable
def publish(machine: bool) -> None:
    """Publish the library's version.

    To the CodeArtifact repository LIBRARY_REPOSITORY in the domain LIBRARY_DOMAIN. The same bytes again do
    nothing; other bytes under the same version are refused.

    \b
    Examples:
      LIBRARY_DOMAIN=payments LIBRARY_REPOSITORY=release payments library publish
    """
    with terminal.progress("publishing"):
        version = publish_release.publish_library()
    terminal.finish(f"payment-data {version} is published", {"version": version}, machine=machine)


def _packages(built: Path | None, reporter: Reporter, *, published: bool) -> package_manifest.Manifest:
    if built is not None:
        return package_manifest.read_intact(built)
    if published:
        return publish_release.package_published(lambda name: reporter.passing(f"packaged {name}"))
    return packaging.build(progress=lambda name: reporter.passing(f"packaged {name}"))


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _try_writing(folder: Path) -> None:
    """Make a file in a folder, and remove it.

    Raises:
        OSError: None can be made; it names the folder.
    """
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


@click.command(cls=Command)
@click.option("--again", is_flag=True, help="Check even a source that passed before.")
@click.option("--money-path", is_flag=True, help="Prove the money path, with a MongoDB, instead.")
@options.machine_readable
def check(*, again: bool, money_path: bool, machine: bool) -> None:
    """Check the source as a build does.

    Runs `make check`: the linters, and the tests of what is deployed that need no MongoDB. With
    --money-path it runs `make money-path`: the other tests but those in a browser, every single fault and
    every mutant. A source that passed before, file for file, is not checked again; its reports are taken from
    .cache/checked or .cache/proven.

    \b
    Examples:
      payments check
      payments check --money-path
    """
    for place in (ROOT, ROOT / "reports"):  # pytest meets one that it cannot write with a traceback
        if place.exists():
            _try_writing(place)
    verdict = check_cache.check(check_cache.money_path() if money_path else check_cache.CHECK, again=again)
    if machine:
        terminal.as_json(asdict(verdict))
        return
    by = f" by {verdict.build}" if verdict.build else ""
    if verdict.reused:
        terminal.done(f"This very source passed at {verdict.at}{by}; its reports are reused.")
    else:
        terminal.done(f"Checked in {verdict.seconds:.0f} s.")
    if verdict.part:
        terminal.out.print(f"It was {verdict.part}: a part of `make money-path`, as a rehearsal runs it.")
    terminal.out.print(f"source {verdict.source}", markup=False)
