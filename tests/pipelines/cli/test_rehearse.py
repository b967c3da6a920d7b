"""What a rehearsal leaves behind, whatever was answered at its gate."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.cli import rehearsal_summary, rehearse
from pipelines.core.refusals import Refused
from pipelines.promotion import execution, failure_report
from pipelines.promotion.execution import Promotion

if TYPE_CHECKING:
    from pathlib import Path


def test_after_a_no_the_evidence_is_kept_and_its_place_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a release whose approver saw a page and said no
    page, kept = tmp_path / "index.html", tmp_path / "kept" / "evidence.html"
    page.write_text("what would change", encoding="utf-8")

    def rejected(_aws: Any, followed: Promotion, *_: Any) -> None:
        followed.status, followed.evidence = "Failed", page.as_uri()

    monkeypatch.setattr(execution, "follow", rejected)
    monkeypatch.setattr(rehearse, "watching", lambda *_: nullcontext(SimpleNamespace(show=None)))
    monkeypatch.setattr(failure_report, "explain", lambda *_: None)
    monkeypatch.setattr(rehearse, "print_failure_report", lambda _: None)
    monkeypatch.setattr(rehearsal_summary, "KEPT", kept)
    # When the rehearsal is over
    prepared: Any = SimpleNamespace(aws=None)
    with pytest.raises(Refused, match="ended as Failed"):
        rehearse.follow_shown(prepared, Promotion("release", "payments-Release", "run-1", "c" * 40))
    # Then the page is on disk, and its place is printed whole
    assert kept.read_text(encoding="utf-8") == "what would change"
    assert str(kept) in capsys.readouterr().out


def test_for_a_machine_a_rehearsal_says_what_ran_and_how_orders_ended() -> None:
    # Given a rehearsal of one promotion and one order
    promotion = Promotion("release", "payments-Release", "run-1", "c" * 40)
    promotion.status = "Succeeded"
    order: Any = SimpleNamespace(order_id="order-2", ended="OutOfStock", right=True)
    # When it is told to a machine
    told = rehearsal_summary.plain([promotion], [order], "http://127.0.0.1:4566")
    # Then
    assert told["orders"] == [{"order_id": "order-2", "ended": "OutOfStock", "as_expected": True}]
    assert told["promotions"] == [
        {
            "pipeline": "release",
            "execution": "run-1",
            "commit": "c" * 40,
            "status": "Succeeded",
            "seconds": {},
        }
    ]
    assert (told["endpoint"], told["evidence"]) == ("http://127.0.0.1:4566", None)
