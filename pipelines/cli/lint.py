"""`payments lint` and `audit`: what AWS would refuse, and what the product is made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.cli.names import EnvironmentName
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.lint.findings import Finding, Level, Unreadable

with deferral.until_run():
    import multiprocessing
    from concurrent import futures

    from click import shell_completion

    from environments import groupings, schema
    from environments import tools as tools_file
    from pipelines.build import package_manifest
    from pipelines.cli import terminal
    from pipelines.lint import repository_templates, templates
    from pipelines.lint.house_rules import conventions
    from pipelines.supply_chain import check_result, inventory, licences, secrets, static_analysis

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from pipelines.supply_chain.check_result import CheckResult

_PIPELINES: Final = "pipelines"
"""What the templates of the pipelines are called (`repository_templates.PIPELINES`)."""
CHECKS: Final[dict[str, Callable[[], CheckResult]]] = {
    "locks": lambda: inventory.check_locks(ROOT),
    "contents": lambda: inventory.check_contents(package_manifest.PACKAGES),
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
    except check_result.CannotCheck as cannot:
        return check_result.CheckResult(check_result.CheckStatus.NOT_CHECKED, str(cannot))


class _EnvironmentOrTemplate(EnvironmentName):
    """An environment, the pipelines, or a file that is there."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as it was typed.

        Raises:
            BadParameter: There is no such environment, or no such file.
        """
        if not _is_file(value):
            return super().convert(value, param, ctx)
        if not Path(value).exists():
            self.fail(f"{value}: there is no such file.", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the environments that fit, after word to the shell that files may, too."""
        names = super().shell_complete(ctx, param, incomplete)
        return [shell_completion.CompletionItem(incomplete, type="file"), *names]


@click.command(cls=Command)
@click.argument("what", nargs=-1, metavar="[ENVIRONMENT|TEMPLATE]…", type=_EnvironmentOrTemplate(_PIPELINES))
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
        if name != _PIPELINES:
            schema.load(name)  # refuses what breaks a rule before anything is judged
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
        settings = [path for path in files if conventions.is_template_configuration(path)]
        findings: list[Finding] = [*templates.lint_files(path for path in files if path not in settings)]
    except Unreadable as unreadable:
        raise Refused(str(unreadable)) from unreadable
    return [*findings, *(finding for path in settings for finding in conventions.tag_findings(path))]


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
    spawned = multiprocessing.get_context("spawn")
    with terminal.progress("linting"), futures.ProcessPoolExecutor(mp_context=spawned) as pool:
        return list(chain.from_iterable(pool.map(repository_templates.findings, names)))


_REPORTS: Final = ROOT / "reports" / "audit"
_NAME: Final = click.Choice(list(CHECKS))


@click.command(cls=Command)
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
    with terminal.progress("auditing") as reporter, futures.ThreadPoolExecutor() as pool:
        for name, result in zip(names, pool.map(run_check, names), strict=True):
            reporter.passing(name)
            results[name] = result
            if not machine:
                _print_result(name, result)
    check_result.write_reports(_REPORTS, results, unchecked)
    if machine:
        terminal.as_json({name: _plain(result) for name, result in results.items()})
    statuses = check_result.CheckStatus
    failed = [name for name, result in results.items() if result.status is statuses.FAILED]
    unmade = [name for name, result in results.items() if result.status is statuses.NOT_CHECKED]
    unaccepted = [name for name in unmade if name not in unchecked]
    if failed or unaccepted:
        reasons = [f"failed: {', '.join(failed)}"] if failed else []
        reasons += [f"could not check: {', '.join(unaccepted)}"] if unaccepted else []
        raise Refused(f"The audit {'; '.join(reasons)}.", f"See {_REPORTS.relative_to(ROOT)}.")
    but = f"; NOT CHECKED, as accepted: {', '.join(unmade)}" if unmade else ""
    terminal.done(f"{len(results) - len(unmade)} checks passed{but}")


def _print_result(name: str, result: CheckResult) -> None:
    statuses = check_result.CheckStatus
    mark = {statuses.PASSED: "[green]✓[/]", statuses.FAILED: "[bold red]✗[/]"}.get(result.status)
    terminal.out.print(f"{mark or '[bold yellow]NOT CHECKED[/]'} {name}:", end=" ")
    terminal.out.print(result.summary, markup=False)
    for finding in result.findings:
        terminal.out.print(f"  {finding}", markup=False)


def _plain(result: CheckResult) -> dict[str, object]:
    return {"status": result.status.value, "summary": result.summary, "findings": list(result.findings)}
