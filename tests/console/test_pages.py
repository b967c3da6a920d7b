"""Pages of promotions are shown whatever AWS leaves out of an answer, and what it says is never markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.console import application, promotion_pages
from pipelines.console.context import Console, explained, render
from pipelines.console.guards import Keys
from pipelines.core.refusals import Refused
from pipelines.promotion.branches import BranchStack
from pipelines.promotion.control import PendingApproval
from pipelines.promotion.execution import Step

_BEGAN = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
_TOOLS: Any = SimpleNamespace(embedded=True, environment=SimpleNamespace(account="444444444444"))


def console(*, may_act: bool = True) -> Console:
    return Console(_TOOLS, {}, may_act, Keys())


def run_page(run: dict[str, Any], step: Step) -> str:
    return bytes(
        render(
            console(),
            "run",
            which="release",
            title="Release",
            run=run,
            commit=promotion_pages.commit_of(run),
            steps=[step],
            seconds={},
            waiting=[],
        ).body
    ).decode()


@pytest.mark.parametrize("status", ["InProgress", "Succeeded", "Failed", "Stopped", "Something new"])
def test_an_execution_is_shown_with_and_without_a_summary(status: str) -> None:
    step = Step("id", "Build", "Build", status, _BEGAN, _BEGAN, "", "")
    for run in (
        {"pipelineExecutionId": "e" * 36, "status": status},
        {"pipelineExecutionId": "e" * 36, "status": status, "statusSummary": "overtaken"},
    ):
        page = run_page(run, step)
        assert status in page
        assert ("overtaken" in page) == ("statusSummary" in run)


def test_what_a_commit_or_a_build_says_is_never_markup() -> None:
    step = Step("id", "Build", "<script>", "Failed", _BEGAN, _BEGAN, "<img src=x onerror=alert(1)>", "b:1")
    page = run_page({"pipelineExecutionId": "e" * 36, "status": "Failed"}, step)
    assert "<script>" not in page.replace('<script src="/static/live.js" defer></script>', "")
    assert "<img" not in page


@pytest.mark.parametrize("may_act", [True, False])
def test_a_gate_s_buttons_work_only_where_they_may(may_act: bool) -> None:
    question = PendingApproval("Approve", "Approve", "token", "e" * 36, "what would change", "")
    shown: dict[str, Any] = {"which": "release", "title": "Release", "execution": "e" * 36}
    answer = render(console(may_act=may_act), "gate", **shown, question=question, reason="", longest=512)
    page = bytes(answer.body).decode()
    assert page.count(" disabled>") == (0 if may_act else 2)
    assert ("--allow-actions" in page) != may_act


def test_a_rejection_without_a_reason_decides_nothing() -> None:
    with pytest.raises(Refused, match="A rejection needs a reason"):
        application.answer(console(), "release", "e" * 36, yes=False, summary="  ")


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 d"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_is_full(seconds: int, age: str) -> None:
    pushed = _BEGAN - timedelta(seconds=seconds)
    stack = BranchStack("branch-a", "a", "ada", "c0ffee", pushed, "UPDATE_COMPLETE", "")
    page = bytes(render(console(), "branches", stacks=[stack], now=_BEGAN).body).decode()
    assert f'<td data-name="Last push">{age} ago</td>' in page


def test_a_refusal_is_a_page_in_words() -> None:
    def refuse(_console: Console) -> Any:
        raise Refused("There is no pipeline x.", "Choose another.")

    page = explained(refuse, console())
    assert page.status_code == 404
    assert "There is no pipeline x." in bytes(page.body).decode()
