"""What a rehearsal says, at its gate and at its end, to a person and to a machine."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipelines.cli import local_aws, promotion_view, rehearsal_summary, rehearse, terminal
from pipelines.cli.main import main
from pipelines.cli.promotion_view import Lines
from pipelines.core import branch_names
from pipelines.orders.orders import Effect
from pipelines.promotion import execution
from pipelines.promotion.control import PendingApproval
from pipelines.promotion.execution import WAITING, Promotion, Step
from pipelines.promotion.failure_report import FailureReport
from pipelines.rehearsal import failing_releases, rehearsal
from pipelines.rehearsal.failing_releases import FailingReleaseResult
from tests.console.account import BEGAN, Account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.rehearsal.failing_releases import FailingRelease


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
    shown = rehearsal_summary.show(prepared, promotions, [order], BEGAN, stays=True)
    # Then
    assert shown is right
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    # And the docs of each place are where they were published, production's only after a release
    links = [line.rpartition(" ")[0] for line in told if line.startswith("docs of")]
    assert links == [
        "docs of the branch",
        "docs of staging",
        *(["docs of production"] if wrong != "the end" else []),
    ]
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
    assert "evidence" not in printed.out
    # And without one it is approved as a rehearsal, and left open where it is held
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert rehearse.ask(question, view, hold=False) == rehearse.APPROVED
    assert rehearse.ask(question, view, hold=True) is None


def test_whoever_decides_is_shown_the_evidence_and_a_copy_of_it_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Given a gate with evidence, which goes when the embedded AWS does
    page = tmp_path / "page.html"
    page.write_text("what would change", encoding="utf-8")
    monkeypatch.setattr(local_aws, "ROOT", tmp_path)
    monkeypatch.setattr(rehearsal_summary, "KEPT", tmp_path / "kept" / "evidence.html")
    question = PendingApproval("Approve", "Ask", "token", "run", "in short", page.as_uri())
    # When somebody is asked
    rehearse.ask(question, Lines(print), hold=True)
    page.unlink()
    # Then they were told where it is, and have it for longer
    assert f"The whole evidence: {question.link}" in capsys.readouterr().out
    assert rehearsal_summary.KEPT.read_text(encoding="utf-8") == "what would change"


@pytest.mark.parametrize(
    ("statuses", "waits"),
    [(["Succeeded"], False), ([WAITING], True), ([WAITING, "Succeeded"], False)],
    ids=["it ended", "its gate is left open", "somebody else answered its gate"],
)
def test_a_promotion_is_followed_until_it_ends_or_its_gate_is_left_open(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    statuses: list[str],
    waits: bool,
) -> None:
    # Given how it is after each time that it was followed
    monkeypatch.setattr(promotion_view, "Durations", lambda: terminal.Durations(tmp_path / "durations.json"))
    left = list(statuses)

    def follow(_tools: object, followed: Promotion, *_: object) -> None:
        followed.status = left.pop(0)

    monkeypatch.setattr(execution, "follow", follow)
    prepared: Any = SimpleNamespace(aws=Account(waits=waits))
    # When it is shown
    rehearse.follow_shown(prepared, Promotion("release", "releases", "run-1", "c" * 40))
    # Then all of it was seen, and what is left to a person is told with how to answer
    assert left == []
    assert ("The gate is left open." in capsys.readouterr().out) == waits


@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)])
def test_the_next_rehearsal_is_told_how_long_one_took_that_went_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, right: bool, code: int
) -> None:
    # Given pipelines that take a minute and a half, and a summary in which all is right or not
    @contextmanager
    def embedded(*, keep_running: bool) -> Iterator[tuple[None, bool]]:
        yield None, keep_running

    pushed, merged = (
        Promotion(which, which, "run", "c" * 40, "Succeeded") for which in ("branch", "release")
    )
    prepared = SimpleNamespace(commit=lambda *_: pushed, merge=lambda *_: merged)
    durations, clock = terminal.Durations, iter([100.0, 190.0])
    followed: list[Promotion] = []
    monkeypatch.setattr(terminal, "Durations", lambda: durations(tmp_path / "durations.json"))
    monkeypatch.setattr(rehearse, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(rehearse, "embedded", embedded)
    monkeypatch.setattr(rehearse, "follow_shown", lambda _, promotion, **__: followed.append(promotion))
    monkeypatch.setattr(rehearse, "_orders", lambda _: [])
    monkeypatch.setattr(rehearsal, "prepare", lambda *_, **__: prepared)
    monkeypatch.setattr(rehearsal_summary, "show", lambda *_, **__: right)
    # When it is over
    result = CliRunner().invoke(main, ["rehearse"])
    # Then the branch was followed before the release, and its end says whether all was right
    assert followed == [pushed, merged]
    assert (result.exit_code, "is in production, byte for byte" in result.stderr) == (code, right)
    # And what went well is what to expect
    assert durations(tmp_path / "durations.json").named("rehearse") == ("usually 90 s" if right else "")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, list[str]]], None]:
    """Let broken releases end as they should, but for the problems that a test names by release."""
    prepared = SimpleNamespace()

    @contextmanager
    def embedded(*, keep_running: bool) -> Iterator[tuple[None, bool]]:
        yield None, keep_running

    def told(problems: dict[str, list[str]]) -> None:
        def promote(where: object, bad: FailingRelease, _follow: object) -> FailingReleaseResult:
            assert where is prepared
            after = FailureReport("run-1", "c" * 40, bad.stage, bad.action, "why", "", "")
            run = Promotion("release", "releases", "run-1")
            return FailingReleaseResult(bad, run, after, 4, 3, problems.get(bad.name, []), 61.6)

        monkeypatch.setattr(failing_releases, "promote", promote)

    monkeypatch.setattr(rehearse, "embedded", embedded)
    monkeypatch.setattr(rehearsal, "prepare", lambda *_: prepared)
    monkeypatch.setattr(failing_releases, "serves", lambda _: True)
    monkeypatch.setattr(failing_releases, "idle", lambda _: None)
    durations = terminal.Durations
    monkeypatch.setattr(terminal, "Durations", lambda: durations(tmp_path / "durations.json"))
    return told


def test_a_machine_is_told_how_each_broken_release_ended(
    failing: Callable[[dict[str, list[str]]], None],
) -> None:
    failing({})
    result = CliRunner().invoke(main, ["rehearse-bad", "--json"])
    assert result.exit_code == 0, result.output
    ends = json.loads(result.stdout)
    assert [end["release"] for end in ends] == [case.name for case in failing_releases.CASES]
    assert ends[0] == {
        "release": failing_releases.CASES[0].name,
        "execution": "run-1",
        "failed_in": f"{failing_releases.CASES[0].stage}: {failing_releases.CASES[0].action}",
        "seconds": 62,
        "orders_placed": 4,
        "orders_completed": 3,
        "problems": [],
    }


def test_a_broken_release_that_did_harm_fails_the_rehearsal_and_says_what(
    failing: Callable[[dict[str, list[str]]], None],
) -> None:
    last = failing_releases.CASES[-1].name
    failing({last: ["production runs something else"]})
    result = CliRunner().invoke(main, ["rehearse-bad"])
    assert result.exit_code == 1
    assert f"1 of {len(failing_releases.CASES)} did not end as expected" in result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if " of 4" in line]
    assert [row[-2:] == ["as", "expected"] for row in rows] == [*[True] * (len(rows) - 1), False]
    assert "production runs something else" in result.stdout
