"""`payments audit`: what we are made of, and whether it can be trusted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import console, options
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.supply_chain import reports
from pipelines.supply_chain.catalogue import CHECKS, make
from pipelines.supply_chain.verdict import Outcome

if TYPE_CHECKING:
    from pipelines.supply_chain.verdict import Verdict

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
    """
    names = checks or tuple(CHECKS)
    verdicts: dict[str, Verdict] = {}
    # Side by side: most of them wait for a program of their own or for the network.
    with console.progress("auditing") as reporter, ThreadPoolExecutor() as pool:
        for name, verdict in zip(names, pool.map(make, names), strict=True):
            reporter.passing(name)
            verdicts[name] = verdict
            if not machine:
                _print(name, verdict)
    reports.write(_REPORTS, verdicts, unchecked)
    if machine:
        console.as_json({name: _plain(verdict) for name, verdict in verdicts.items()})
    failed = [name for name, one in verdicts.items() if one.outcome is Outcome.FAILED]
    unmade = [name for name, one in verdicts.items() if one.outcome is Outcome.NOT_CHECKED]
    open_ones = [name for name in unmade if name not in unchecked]
    if failed or open_ones:
        said = [f"failed: {', '.join(failed)}"] if failed else []
        said += [f"could not check: {', '.join(open_ones)}"] if open_ones else []
        raise Refused(f"The audit {'; '.join(said)}.", f"See {_REPORTS.relative_to(ROOT)}.")
    but = f"; NOT CHECKED, as accepted: {', '.join(unmade)}" if unmade else ""
    console.done(f"{len(verdicts) - len(unmade)} checks passed{but}")


def _print(name: str, verdict: Verdict) -> None:
    mark = {Outcome.PASSED: "[green]✓[/]", Outcome.FAILED: "[bold red]✗[/]"}.get(verdict.outcome)
    console.out.print(f"{mark or '[bold yellow]NOT CHECKED[/]'} {name}:", end=" ")
    console.out.print(verdict.said, markup=False)
    for finding in verdict.findings:
        console.out.print(f"  {finding}", markup=False)


def _plain(verdict: Verdict) -> dict[str, object]:
    return {"outcome": verdict.outcome.value, "said": verdict.said, "findings": list(verdict.findings)}
