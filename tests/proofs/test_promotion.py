"""`payments rehearse`, whole: from a commit on a branch to production, through both pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from embedded_aws import instance
from pipelines.cli import local_aws, rehearsal_summary
from pipelines.cli.main import main
from pipelines.core.reporting import NOBODY
from pipelines.promotion import execution, failure_report
from pipelines.rehearsal import failing_releases, rehearsal
from tests.proofs import small_builds

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.promotion.execution import Promotion
    from pipelines.rehearsal.failing_releases import FailingRelease


@pytest.mark.parametrize(
    "variant",
    [[], ["--one-account"], ["--database", "scram"]],
    ids=["four accounts", "one account", "a cluster of your own"],
)
def test_a_commit_goes_from_a_branch_to_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variant: list[str]
) -> None:
    # Given a commit whose build is small, but for the proof of the money path, and nobody at a terminal
    monkeypatch.setattr(rehearsal, "a_change", lambda _: small_builds.files(real="money-path"))
    monkeypatch.setattr(local_aws, "ROOT", tmp_path / "embedded")
    monkeypatch.setattr(rehearsal_summary, "KEPT", tmp_path / "evidence.html")
    # When it is rehearsed
    result = CliRunner().invoke(main, ["rehearse", "--fresh", *variant])
    # Then it is in production, byte for byte as in staging, and the orders on the branch ended as they must
    assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}"
    assert "is in production, byte for byte as staging runs it" in result.stderr
    assert "approved as `rehearsal`" in result.stdout
    for told in ("branch-feature-rehearsal", "payments-prod", "OutOfStock", "PaymentDeclined", "-158.75"):
        assert told in result.stdout
    assert "✗" not in result.stdout
    # And the evidence says what was checked, and what no build checks
    evidence = (tmp_path / "evidence.html").read_text(encoding="utf-8")
    assert "unit; not in a build: " in evidence
    # And that the money path was proven in short, by the evidence, its summary and the terminal
    in_short = (
        "IN SHORT, as rehearsals do: 14 tests passed, 0 failed; 100 single faults; 6 of 6 mutants caught"
    )
    assert in_short in evidence
    assert "LOOK CLOSELY: the money path was proven in short" in " ".join(result.stdout.split())
    assert "make rehearsal FULL=1" in " ".join(result.stderr.split())
    # And nothing runs any more
    assert instance.running(tmp_path / "embedded") is None


def released(
    root: Path, failing: FailingRelease, files: dict[str, str]
) -> tuple[Promotion, failure_report.FailureReport]:
    """Release what must fail to an empty embedded AWS, and return how it went and why it failed."""
    prepared = rehearsal.prepare(instance.start(root, attached=True), NOBODY)
    try:
        release = prepared.commit(prepared.tools.release_branch, failing.story, files | failing.files())
        execution.follow(prepared.aws, release, lambda _: None, lambda _: None)
        return release, failure_report.explain(prepared.aws, release.pipeline, release.execution)
    finally:
        instance.stop(root)


def test_a_commit_that_fails_to_deploy_ends_in_staging(tmp_path: Path) -> None:
    # Given a commit with a mistake in staging's file, which Lambda alone refuses
    mistaken = next(case for case in failing_releases.CASES if case.action == "Deploy-payments")
    # When it is released; Then staging's deployment fails by it, and nothing comes after
    _, report = released(tmp_path / "embedded", mistaken, small_builds.files())
    assert (report.stage, report.action) == (mistaken.stage, mistaken.action)
    assert "UnreservedConcurrentExecution" in " ".join(report.sentences())


def test_a_commit_that_takes_money_twice_ends_in_its_build(tmp_path: Path) -> None:
    # Given a commit that lets a repeated charge take the money again, whose other checks pass
    twice = failing_releases.CASES[0]
    # When it is released
    release, report = released(tmp_path / "embedded", twice, small_builds.files(real="money-path"))
    # Then the proof of the money path refuses it beside a build that passes, and nothing comes after
    assert {step.action: step.status for step in release.steps} == {
        "Checkout": "Succeeded",
        "Build": "Succeeded",
        "MoneyPath": "Failed",
    }
    assert (report.stage, report.action) == (twice.stage, twice.action)
    assert "The money path is not proven" in "\n".join(report.log.end if report.log else ())
