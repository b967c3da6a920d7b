"""`payments provenance`: where a release comes from."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Verbs

with deferral.until_run():
    from pipelines.aws import accounts
    from pipelines.build import provenance as statements
    from pipelines.cli import terminal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Verbs)
def provenance() -> None:
    """Verify where a release comes from."""


@provenance.command()
@click.argument("file", type=_FILE)
@click.option("--public-key", type=_FILE, required=True, metavar="PEM", help="The key that signs releases.")
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also compare the files below DIR, as packages/data_api.zip, with the digests that were signed.",
)
@options.machine_readable
def verify(file: Path, public_key: Path, files: Path | None, machine: bool) -> None:
    """Verify a release's provenance offline.

    FILE is the provenance.json that its evidence links to and its packages come with. Nothing is asked of
    AWS: the signature is checked with the public key, and with --files the files with the signed digests.

    \b
    Examples:
      payments provenance verify provenance.json --public-key release.pem
      payments provenance verify provenance.json --public-key release.pem --files dist
    """
    envelope = statements.read(file)
    stated = statements.verify_offline(public_key.read_bytes(), envelope)
    subjects = statements.subjects_of(envelope)
    if files is not None:
        present = {name: name for name in subjects if (files / name).is_file()}
        wrong = statements.differences(subjects, files, present)
        if wrong or not present:
            raise statements.NotGenuine("\n".join(wrong) or f"None of the signed files is below {files}.")
        subjects = {name: subjects[name] for name in present}
    if machine:
        terminal.as_json(stated)
        return
    for name, sha256 in sorted(subjects.items()):
        terminal.out.print(f"{sha256}  {name}", markup=False)
    commit = stated["predicate"]["buildDefinition"]["externalParameters"]["commit"]
    compared = "" if files is None else f", and {len(subjects)} files are what was signed"
    terminal.done(f"The release pipeline signed this for commit {commit}{compared}")


@provenance.command("public-key")
@click.argument("key")
@options.endpoint_url
@options.machine_readable
def public_key(key: str, endpoint_url: str | None, machine: bool) -> None:
    """Print the public half of the key that signs releases.

    KEY is the key's ARN, as the output SigningKeyArn of the pipelines stack names it.

    \b
    Examples:
      payments provenance public-key arn:aws:kms:REGION:ACCOUNT:key/ID > release.pem
    """
    pem = statements.public_key(accounts.connect_tools(endpoint_url), key)
    if machine:
        terminal.as_json({"key": key, "pem": pem})
        return
    terminal.out.print(pem, markup=False, end="")
