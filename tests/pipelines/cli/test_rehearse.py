"""What a rehearsal says, at its gate and at its end, to a person and to a machine."""

from __future__ import annotations

import io
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.cli import local_aws, rehearsal_summary, rehearse
from pipelines.cli.promotion_view import Lines
from pipelines.core import branch_names
from pipelines.orders.orders import Effect
from pipelines.promotion.control import PendingApproval
from pipelines.promotion.execution import Promotion, Step
from pipelines.rehearsal import rehearsal
from tests.console.account import BEGAN, Account


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


def _followed(which: str, commit: str, status: str = "Succeeded") -> Promotion:
    ended = BEGAN + timedelta(seconds=90)
    build = Step("b", "Build", "Check", "Succeeded", BEGAN, BEGAN, "", "checks:1")
    smoke = Step("s", "Staging", "Smoke", "Succeeded", BEGAN, BEGAN, "", "")
    deployed = Step("d", "Production", "Deploy", "Succeeded", BEGAN, ended, "", "")
    return Promotion(which, which, "run", commit, status, steps=[build, smoke, deployed])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("nothing", True), ("a report", False), ("an order", False), ("production", False), ("the end", False)],
)
def test_a_rehearsal_is_right_when_production_runs_what_staging_ran_and_every_order_and_report_is_right(
    capsys: pytest.CaptureFixture[str], wrong: str, right: bool
) -> None:
    # Given a rehearsal with one fault at most
    accounts = {name: Account() for name in ("branch", "staging", "prod")}
    tools = Account(stacks={"payments-docs", "payments-previews"}, passes=wrong != "a report")
    accounts["prod"].digest = ("2" if wrong == "production" else "1") * 64
    for account in accounts.values():
        account.stacks.add(branch_names.stack_name(rehearsal.BRANCH))
    prepared: Any = SimpleNamespace(targets=accounts, aws=tools)
    moved = Effect("stock of tea", "5", "3", "-2", moved=True)
    still = Effect("credit of ada", "1", "1", "0", moved=False)
    order: Any = SimpleNamespace(
        order_id="order-1", story="paid", expected="SUCCEEDED", ended="SUCCEEDED", right=wrong != "an order"
    )
    order.effects = [moved, still]
    status = "Failed" if wrong == "the end" else "Succeeded"
    promotions = [_followed("branch", "b" * 40), _followed("release", "c" * 40, status)]
    # When it ends
    shown = rehearsal_summary.show(prepared, promotions, [order], BEGAN, stays=False)
    # Then
    assert shown is right
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    rows = [line for line in told if line.startswith(("branch 4", "staging 4", "prod 4"))]
    assert [(row.split()[0], row.split()[3]) for row in rows] == [
        ("branch", "b" * 12),
        ("staging", "c" * 12),
        *([("prod", "c" * 12)] if wrong != "the end" else []),
    ]
    assert any(line.startswith("order-1 paid SUCCEEDED SUCCEEDED stock of tea -2 ") for line in told)
    same = "✗" if wrong == "production" else "✓"
    assert any(line.startswith("DataApi 1111") and line.endswith(same) for line in told) == (
        wrong != "the end"
    )


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", (True, "approved in a rehearsal")), ("n\nnot today\n", (False, "not today"))],
)
def test_at_a_terminal_a_person_decides_after_seeing_what_would_be_released(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
    typed: str,
    answer: tuple[bool, str],
) -> None:
    # Given a gate, and somebody at a terminal
    monkeypatch.setattr(local_aws, "ROOT", tmp_path)
    question = PendingApproval("Approve", "Ask", "token", "run", "what would change", "")
    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    view = Lines(print)
    # Then the answer is theirs; the question is on standard error, and leaves results to a machine
    assert rehearse.ask(question, view, hold=False) == answer
    printed = capsys.readouterr()
    assert "what would change" in printed.out
    assert "Release it?" in printed.err
    # And without one it is approved as a rehearsal, and left open where it is held
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert rehearse.ask(question, view, hold=False) == rehearse.APPROVED
    assert rehearse.ask(question, view, hold=True) is None
