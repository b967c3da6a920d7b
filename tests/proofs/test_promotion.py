"""`payments rehearse`, whole: from a commit on a branch to production, through both pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from embedded_aws import instance
from pipelines.cli import local_aws, rehearsal_summary
from pipelines.cli.main import main
from pipelines.rehearsal import rehearsal
from tests.proofs import small_builds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "variant",
    [[], ["--one-account"], ["--database", "scram"]],
    ids=["four accounts", "one account", "a cluster of your own"],
)
def test_a_commit_goes_from_a_branch_to_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variant: list[str]
) -> None:
    # Given a commit whose build is small, and nobody at a terminal
    monkeypatch.setattr(rehearsal, "a_change", lambda _: small_builds.files())
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
    # And nothing runs any more
    assert instance.running(tmp_path / "embedded") is None
