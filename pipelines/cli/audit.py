"""`payments audit`: what the product is made of, and whether it can be trusted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import options, terminal
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
