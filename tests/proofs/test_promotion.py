"""`payments rehearse`, whole: from a commit on a branch to production, through both pipelines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.testing import CliRunner

from environments.embedded import instance
from pipelines import rehearsal
from pipelines.cli import rehearsal_summary
from pipelines.cli.main import main
from pipelines.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_SMALL = {
    "check": "$(BIN)/pytest -q tests/unit/lambdas/test_money.py --cov=payment_data"
    " --cov-report=xml:reports/coverage.xml --junitxml=reports/tests.xml",
    "audit": "cp reports/tests.xml reports/audit.xml",
    "docs": "mkdir -p site/operations && echo '<h1>Rehearsed</h1>' > site/index.html"
    " && echo '<!-- measures --><!-- /measures -->' > site/operations/delivery.html",
}
"""What this test's builds do in place of what takes a minute; every other step is the real one."""


def _small(makefile: str) -> str:
    for target, recipe in _SMALL.items():
        makefile = re.sub(rf"(?m)^({target}:.*\n)(\t.*\n)+", rf"\g<1>\t@{recipe}\n", makefile)
    return makefile


def test_a_commit_goes_from_a_branch_to_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Given a commit whose build is small, and nobody at a terminal
    makefile = _small((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert all(recipe in makefile for recipe in _SMALL.values())
    monkeypatch.setattr(rehearsal, "a_change", lambda _: {"Makefile": makefile})
    monkeypatch.setattr(instance, "DEFAULT_ROOT", tmp_path / "embedded")
    monkeypatch.setattr(rehearsal_summary, "DIST", tmp_path / "dist")
    # When it is rehearsed
    result = CliRunner().invoke(main, ["rehearse", "--fresh"])
    # Then it is in production, byte for byte as in staging, and the orders on the branch ended as they must
    assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}"
    assert "is in production, byte for byte as staging runs it" in result.stderr
    assert "approved as `rehearsal`" in result.stdout
    for told in ("branch-feature-rehearsal", "payments-prod", "OutOfStock", "PaymentDeclined", "-158.75"):
        assert told in result.stdout
    assert "✗" not in result.stdout
    # And the merge's build took what the branch's had checked, since the files are the same
    evidence = (tmp_path / "dist" / "rehearsal" / "evidence.html").read_text(encoding="utf-8")
    assert "the very same source passed before" in evidence
    assert "unit; not in a build: " in evidence
    # And nothing runs any more
    assert instance.running(tmp_path / "embedded") is None
