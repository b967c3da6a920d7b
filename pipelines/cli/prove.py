"""`payments prove`: what is assumed of AWS, and whether all of it works there, on an account that is lent."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core.refusals import Refused
from pipelines.doctor.findings import State

with deferral.until_run():
    from embedded_aws import instance
    from pipelines.cli import findings_view, local_aws, terminal
    from pipelines.doctor import lent_account, proofs
    from pipelines.doctor import run as examinations
    from pipelines.rehearsal import acceptance, acceptance_account, acceptance_phases

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval
    from pipelines.rehearsal.acceptance import Acceptance, PhaseResult


@click.command(cls=Command)
@click.argument("environment", type=options.ENVIRONMENT)
@click.option("--acceptance", "accept", is_flag=True, help="Deploy and release all of it, and remove it.")
@click.option("--yes", is_flag=True, help="Do not ask, not at approvals either; for scripts.")
@options.endpoint_url
@options.profiles
@options.machine_readable
def prove(
    environment: str,
    endpoint_url: str | None,
    profiles: tuple[str, ...],
    *,
    accept: bool,
    yes: bool,
    machine: bool,
) -> None:
    """Prove assumptions about AWS on an account that is lent for it.

    ENVIRONMENT's file names the account and the region. Small stacks, pipelines, alarms and policies are made
    there, and removed, also after a failure; an account that holds stacks of ours is refused. What it costs
    is said before anything is made. Ends with 1 when an assumption does not hold.

    With --acceptance instead: everything in that account, from its bootstrap over a branch, its smoke, two
    releases and a rollback to its removal. On AWS the files name this account for all environments and the
    tools, and two commits are pushed to the release branch: use a copy of the repository.

    \b
    Examples:
      payments prove branch --profile branch=LENT
      payments prove branch --yes --json > report.json
      payments prove branch --acceptance --profile branch=LENT
    """
    aws = options.with_profile(
        local_aws.connect(environment, endpoint_url), options.profiles_by_account(profiles).get(environment)
    )
    lent_account.must_be_lent(aws)
    if accept:
        _accept(aws, yes=yes, machine=machine)
    else:
        _experiment(aws, yes=yes, machine=machine)


def _experiment(aws: Aws, *, yes: bool, machine: bool) -> None:
    minutes = sum(proof.minutes for proof in proofs.PROOFS)
    terminal.err.print(
        f"{len(proofs.PROOFS)} experiments {_where(aws)}: "
        f"{minutes} minutes and {proofs.DOLLARS:.2f} USD at most."
    )
    if not yes:
        click.confirm("Make them?", err=True, abort=True)
    examination = examinations.Examination()
    with terminal.progress("proving") as reporter:
        examination.reporter = reporter
        for proof in proofs.PROOFS:
            examination.ask(aws.environment.name, proof.assumption, partial(proofs.prove, aws, proof))
    left = lent_account.left_behind(aws)
    if machine:
        findings = [asdict(finding) for finding in examination.findings]
        terminal.as_json({"findings": findings, "left_behind": left})
    else:
        findings_view.show(examination)
    if left:
        raise Refused(f"These could not be removed: {', '.join(left)}.", "Delete them by hand.")
    if wrong := examination.count(State.FAILED):
        raise Refused(
            f"{wrong} of {len(proofs.PROOFS)} assumptions do not hold.",
            "The register says what rests on them.",
        )
    terminal.done(f"Nothing stays, and none of {len(proofs.PROOFS)} assumptions was refuted.")


def _accept(aws: Aws, *, yes: bool, machine: bool) -> None:
    phases = (*acceptance_phases.PHASES, acceptance_phases.LAST)
    terminal.err.print(f"An acceptance run {_where(aws)}:")
    for phase in phases:
        terminal.err.print(f"  {phase.minutes:3} min  {phase.name}: {phase.does}", markup=False)
    terminal.err.print(
        f"About {acceptance_phases.MINUTES} minutes, which nobody has measured, and "
        f"{acceptance_phases.DOLLARS} USD at most."
    )
    if not aws.embedded:
        acceptance_account.must_be_the_only_one(aws)
    if not yes:
        click.confirm("Begin?", err=True, abort=True)
    with tempfile.TemporaryDirectory() as folder:
        prepared = _prepared(aws, Path(folder) / "clone", yes=yes)
        with terminal.progress("accepting") as reporter:
            prepared.reporter = reporter
            results = acceptance.run(prepared, acceptance_phases.PHASES, acceptance_phases.LAST)
    _report(aws, results, machine=machine)
    if failed := [result for result in results if result.ok is False]:
        raise Refused(*(f"{failed[0].name} failed: {failed[0].seen}", _hint(failed)))
    terminal.done("It was bootstrapped, released, rolled back and removed, and nothing stays.")


def _hint(failed: list[PhaseResult]) -> str:
    removal = [result for result in failed if result.name == acceptance.REMOVAL]
    return f"And not all could be removed: {removal[0].seen}" if removal else "All of it was removed again."


def _prepared(aws: Aws, folder: Path, *, yes: bool) -> Acceptance:
    """Return the run: on AWS as the files say, else on the embedded AWS that runs in this checkout."""

    def approves(question: PendingApproval) -> bool:
        if yes:
            return True
        terminal.err.print(f"{question.summary}\n{question.link}", markup=False)
        return click.confirm("Approve?", err=True)

    if not aws.embedded:
        return acceptance_account.on_aws(aws, folder, approves)
    local = instance.running(local_aws.ROOT)
    if local is None or local.endpoint != aws.endpoint:
        raise Refused(f"The embedded AWS at {aws.endpoint} is not this checkout's.", "payments up")
    return acceptance_account.on_this_machine(local, aws, approves)


def _report(aws: Aws, results: list[PhaseResult], *, machine: bool) -> None:
    if machine:
        place = {"account": aws.environment.account, "region": aws.environment.region}
        terminal.as_json(place | {"phases": [asdict(result) for result in results]})
        return
    signs = {True: "✓", False: "✗", None: "-"}
    rows = [
        (signs[result.ok], result.name, terminal.described_duration(result.seconds), result.seen)
        for result in results
    ]
    terminal.out.print(
        terminal.table(f"Acceptance run {_where(aws)}", ("", "phase", "took", "seen"), rows, ["seen"])
    )


def _where(aws: Aws) -> str:
    return f"in account {aws.environment.account}, {aws.environment.region}"
