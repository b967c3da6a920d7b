"""`payments lint`, `audit`, `provenance`: what AWS would refuse, what the product is made of, whence."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from environments import groupings, schema
from environments import tools as tools_file
from pipelines.aws import accounts
from pipelines.build import provenance as statements
from pipelines.build.package_manifest import PACKAGES
from pipelines.cli import options, terminal
from pipelines.cli.grammar import Verbs
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.lint import repository_templates
from pipelines.lint.findings import Finding, Level, Unreadable
from pipelines.lint.house_rules.conventions import is_template_configuration, tag_findings
from pipelines.lint.templates import lint_files
from pipelines.supply_chain import inventory, licences, secrets, static_analysis
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, CheckStatus, write_reports

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS: Final[dict[str, Callable[[], CheckResult]]] = {
    "locks": lambda: inventory.check_locks(ROOT),
    "contents": lambda: inventory.check_contents(PACKAGES),
    "licences": lambda: licences.check(ROOT),
    "secrets": lambda: secrets.in_tree(ROOT),
    "history": lambda: secrets.in_history(ROOT),
    "code": lambda: static_analysis.check_code(ROOT),
    "advisories": lambda: inventory.check_advisories(ROOT),
    "templates": lambda: static_analysis.check_templates(static_analysis.of_repository()),
}


def run_check(name: str) -> CheckResult:
    """Run a check by name; one that could not look has the status `not checked`."""
    try:
        return CHECKS[name]()
    except CannotCheck as cannot:
        return CheckResult(CheckStatus.NOT_CHECKED, str(cannot))


@click.command()
@click.argument("what", nargs=-1, metavar="[ENVIRONMENT|TEMPLATE]…")
@click.option("--strict", is_flag=True, help="Fail on warnings and advice, too.")
@click.option("--ignore", "ignored", multiple=True, metavar="ID", help="Pass a rule over; may be repeated.")
@options.machine_readable
def lint(what: tuple[str, ...], strict: bool, ignored: tuple[str, ...], machine: bool) -> None:
    """Check templates, workflow definitions and pipelines.

    Those of the ENVIRONMENTs, or all of ours, the pipelines' and the bootstrap stacks' among them. A
    TEMPLATE is any file, ours or not: CloudFormation in JSON or YAML, the input of `aws codepipeline
    create-pipeline`, or a state machine's definition; its pipelines and state machines are checked. Of a
    stack's template configuration, as dist/settings holds them, the tags are. It fails on errors alone.

    \b
    Examples:
      payments lint
      payments lint prod template.yml
      payments lint template.yml --strict --ignore P402
    """
    files = [Path(name) for name in what if _is_file(name)]
    names = [name for name in what if not _is_file(name)] or ([] if files else repository_templates.names())
    for name in names:
        if name != repository_templates.PIPELINES:
            schema.load(name)  # refuses what does not exist before anything is judged
    findings = sorted([*_in_files(files), *_in_ours(names), *_groupings(names)], key=str)
    findings = [finding for finding in findings if finding.rule not in ignored]
    if machine:
        terminal.as_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            terminal.out.print(str(finding), markup=False)
    looked_at = ", ".join([*names, *map(str, files)])
    counts = Counter(finding.level for finding in findings)
    summary = ", ".join(f"{count} {level}" for level, count in sorted(counts.items())) or "no findings"
    if counts[Level.ERROR] or (findings and strict):
        raise Refused(f"The templates of {looked_at}: {summary}")
    terminal.done(f"The templates of {looked_at}: {summary}")


def _is_file(name: str) -> bool:
    return "/" in name or Path(name).suffix != "" or Path(name).is_file()


def _in_files(files: list[Path]) -> list[Finding]:
    try:
        settings = [path for path in files if is_template_configuration(path)]
        findings: list[Finding] = [*lint_files(path for path in files if path not in settings)]
    except Unreadable as unreadable:
        raise Refused(str(unreadable)) from unreadable
    return [*findings, *(finding for path in settings for finding in tag_findings(path))]


def _groupings(names: list[str]) -> list[Finding]:
    """Return what does not work in how the environments are spread over accounts, when all are looked at."""
    if not set(groupings.PROMOTED) <= set(names):
        return []
    promoted = {name: schema.load(name) for name in groupings.PROMOTED}
    return [
        Finding("environments", problem.key, "grouping", problem.rule)
        for problem in groupings.problems(promoted, tools_file.load())
    ]


def _in_ours(names: list[str]) -> list[Finding]:
    if not names:
        return []
    # cfn-lint takes more than a second a template, on one core. Forking would copy threads' locks.
    with terminal.progress("linting"), ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(chain.from_iterable(pool.map(repository_templates.findings, names)))


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
                _print_result(name, result)
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


def _print_result(name: str, result: CheckResult) -> None:
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
    terminal.out.print(statements.public_key(accounts.connect_tools(endpoint_url), key), markup=False, end="")
