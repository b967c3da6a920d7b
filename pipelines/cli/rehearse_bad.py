"""`payments rehearse-bad`: broken releases, and production that keeps the release before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core.refusals import Refused

with deferral.until_run():
    from pipelines.cli import promotion_view, rehearsal_summary, rehearse, terminal, views
    from pipelines.promotion import execution
    from pipelines.rehearsal import failing_releases, rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.promotion.control import PendingApproval
    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.failing_releases import FailingReleaseResult
    from pipelines.rehearsal.rehearsal import Rehearsal


@click.command("rehearse-bad", cls=Command)
@click.option("--times", type=click.IntRange(min=1), default=1, help="How often to do all of it.")
@click.option("--keep-running", is_flag=True, help="Leave the embedded AWS running, to look around in.")
@options.machine_readable
def rehearse_bad(times: int, keep_running: bool, machine: bool) -> None:
    """Promote deliberately broken commits, here.

    One that takes money twice, one whose smoke fails in staging, one whose smoke fails in production after
    the canary's shift, one whose template cannot be deployed, and one that is rejected. Each must end with
    the release before serving, and with every order that was placed meanwhile at its end. Where nothing
    serves yet, a good release is first.

    \b
    Examples:
      payments rehearse-bad
      payments rehearse-bad --times 20
      payments rehearse-bad --json
    """
    with terminal.results_for(machine=machine):
        outcomes = _rehearse(times, keep_running=keep_running)
    if machine:
        terminal.as_json([_plain(outcome) for outcome in outcomes])
    right = sum(not outcome.problems for outcome in outcomes)
    if right != len(outcomes):
        raise Refused(f"{len(outcomes) - right} of {len(outcomes)} did not end as expected; see above.")
    terminal.done(f"{right} of {len(outcomes)} ended as expected: the release before still serves.")


def _plain(outcome: FailingReleaseResult) -> dict[str, object]:
    """Return how a release ended, for a machine: `release`, `failed_in`, `seconds`, `problems` and so on."""
    return {
        "release": outcome.bad.name,
        "execution": outcome.followed.execution,
        "failed_in": f"{outcome.after.stage}: {outcome.after.action}",
        "seconds": round(outcome.seconds),
        "orders_placed": outcome.placed,
        "orders_completed": outcome.completed,
        "problems": outcome.problems,
    }


def _rehearse(times: int, *, keep_running: bool) -> list[FailingReleaseResult]:
    cases = _announced(times)
    with rehearse.embedded(keep_running=keep_running) as (local, _):
        with terminal.progress("deploying the pipelines") as reporter:
            prepared = rehearsal.prepare(local, reporter)
        if not failing_releases.serves(prepared):
            good = prepared.commit(prepared.tools.release_branch, "Release what is here", {})
            rehearse.follow_shown(prepared, good)
        outcomes = [_promote(prepared, case) for case in cases]
    rows = [
        (
            outcome.bad.name,
            f"{outcome.seconds:.0f} s",
            f"{outcome.completed} of {outcome.placed}",
            _ending(outcome),
        )
        for outcome in outcomes
    ]
    columns = ("release", "took", "orders completed", "ended")
    terminal.out.print(terminal.table("Bad releases", columns, rows, long=("ended",)))
    return outcomes


def _announced(times: int) -> list[failing_releases.FailingRelease]:
    """Return the releases to make, and say how many they are and how long they usually take."""
    durations, cases = terminal.Durations(), list(failing_releases.CASES) * times
    usual = durations.together([f"rehearse-bad/{case.name}" for case in cases])
    first = "not seen on this machine yet: each is built and checked once, which takes minutes; then reused"
    terminal.out.print(f"{len(cases)} releases that must fail, one after the other; {usual or first}:")
    for case in failing_releases.CASES:
        usual = durations.named(f"rehearse-bad/{case.name}")
        terminal.out.print(f"  {case.name}{f', {usual}' if usual else ''}", markup=False)
    return cases


def _promote(prepared: Rehearsal, case: failing_releases.FailingRelease) -> FailingReleaseResult:
    terminal.out.print(f"\n[bold]{case.name}[/]: {case.story}")

    def follow(promotion: Promotion, decide: Callable[[PendingApproval], tuple[bool, str] | None]) -> None:
        with promotion_view.watching(prepared.aws, promotion) as view:

            def answer(question: PendingApproval) -> tuple[bool, str] | None:
                with view.paused():
                    rehearsal_summary.show_evidence(question)
                return decide(question)

            execution.follow(prepared.aws, promotion, view.show, answer)

    outcome = failing_releases.promote(prepared, case, follow)
    views.print_failure_report(outcome.after)
    for problem in outcome.problems:
        terminal.out.print(problem, style="bold red", markup=False)
    failing_releases.idle(prepared)
    terminal.Durations().keep_named(f"rehearse-bad/{case.name}", outcome.seconds)
    return outcome


def _ending(outcome: FailingReleaseResult) -> str:
    return "; ".join(outcome.problems) or "as expected"
