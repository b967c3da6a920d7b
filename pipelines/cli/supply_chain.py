"""`payments audit` and `payments provenance`: what the product is made of, and where a release comes from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.aws import tools_account
from pipelines.build import provenance as statements
from pipelines.cli import options, terminal
from pipelines.cli.grammar import Verbs
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.supply_chain.check_result import CheckStatus, write_reports
from pipelines.supply_chain.checks import CHECKS, run_check

if TYPE_CHECKING:
    from pipelines.supply_chain.check_result import CheckResult


_REPORTS: Final = ROOT / "reports" / "audit"
_NAME: Final = click.Choice(list(CHECKS))


@click.command()
@click.argument("checks", nargs=-1, type=_NAME, metavar="[CHECK]…")
@click.option(
    "--unchecked",
    multiple=True,
    type=_NAME,
    metavar="CHECK",
    envvar="PAYMENTS_AUDIT_UNCHECKED",
    help="May stay unmade where it cannot be made: it is tried, and reported as not checked. Repeatable.",
)
@options.machine_readable
def audit(checks: tuple[str, ...], unchecked: tuple[str, ...], machine: bool) -> None:
    """Check the supply chain, the code and the templates.

    Makes the CHECKs, or all of them: locks, contents, licences, secrets, history, code, advisories,
    templates. Each writes a report to reports/audit, and all of them together reports/audit.xml. One that
    cannot be made, as without a network, ends with an error unless --unchecked names it.

    \b
    Examples:
      payments audit
      payments audit secrets licences --json
    """
    names = checks or tuple(CHECKS)
    results: dict[str, CheckResult] = {}
    # Side by side: most of them wait for a program of their own or for the network.
    with terminal.progress("auditing") as reporter, ThreadPoolExecutor() as pool:
        for name, result in zip(names, pool.map(run_check, names), strict=True):
            reporter.passing(name)
            results[name] = result
            if not machine:
                _print(name, result)
    write_reports(_REPORTS, results, unchecked)
    if machine:
        terminal.as_json({name: _plain(result) for name, result in results.items()})
    failed = [name for name, result in results.items() if result.status is CheckStatus.FAILED]
    unmade = [name for name, result in results.items() if result.status is CheckStatus.NOT_CHECKED]
    unaccepted = [name for name in unmade if name not in unchecked]
    if failed or unaccepted:
        reasons = [f"failed: {', '.join(failed)}"] if failed else []
        reasons += [f"could not check: {', '.join(unaccepted)}"] if unaccepted else []
        raise Refused(f"The audit {'; '.join(reasons)}.", f"See {_REPORTS.relative_to(ROOT)}.")
    but = f"; NOT CHECKED, as accepted: {', '.join(unmade)}" if unmade else ""
    terminal.done(f"{len(results) - len(unmade)} checks passed{but}")


def _print(name: str, result: CheckResult) -> None:
    mark = {CheckStatus.PASSED: "[green]✓[/]", CheckStatus.FAILED: "[bold red]✗[/]"}.get(result.status)
    terminal.out.print(f"{mark or '[bold yellow]NOT CHECKED[/]'} {name}:", end=" ")
    terminal.out.print(result.summary, markup=False)
    for finding in result.findings:
        terminal.out.print(f"  {finding}", markup=False)


def _plain(result: CheckResult) -> dict[str, object]:
    return {"status": result.status.value, "summary": result.summary, "findings": list(result.findings)}


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
def public_key(key: str, endpoint_url: str | None) -> None:
    """Print the public half of the key that signs releases.

    KEY is the key's ARN, as the output SigningKeyArn of the pipelines stack names it.

    \b
    Examples:
      payments provenance public-key arn:aws:kms:REGION:ACCOUNT:key/ID > release.pem
    """
    terminal.out.print(statements.public_key(tools_account.connect(endpoint_url), key), markup=False, end="")
