"""What is said of a release that failed: what happened, what serves, what to do."""

from __future__ import annotations

import json

import pytest

from pipelines.core.refusals import Refused
from pipelines.orders import smoke
from pipelines.promotion.failure_report import BuildLog, FailureReport
from pipelines.rehearsal import failing_releases

_COMMIT = "0123456789abcdef"


def _after(stage: str, action: str, *, rollback: str = "", restored: str = "") -> list[str]:
    return FailureReport("run", _COMMIT, stage, action, "It broke.", rollback, restored).sentences()


@pytest.mark.parametrize(
    ("after", "serves", "todo"),
    [
        (_after("Build", "Build"), "Production was not touched", "fix the cause and push again"),
        (_after("Approve", "Approve"), "Production was not touched", "settle it with whoever rejected it"),
        (
            _after("Staging", "Smoke", rollback="back", restored="Succeeded"),
            "Staging was rolled back to the release before (execution back). Production was not touched",
            "read the failed checks",
        ),
        (
            _after("Production", "Smoke", rollback="back", restored="Succeeded"),
            "Production was rolled back to the release before (execution back)",
            "read the failed checks",
        ),
        (
            _after("Production", "Deploy-payments", rollback="back", restored="Failed"),
            "The rollback of Production is Failed (back)",
            "at once, `payments pipeline rollback Production`",
        ),
        (_after("Production", "", rollback="back"), "is under way (back)", "payments pipeline retry release"),
        (_after("Staging", "Smoke"), "Staging was not rolled back", "read the failed checks"),
        (
            _after("Docs", "Publish-prod-docs"),
            "Production runs this release",
            "payments pipeline retry release",
        ),
    ],
)
def test_it_says_what_happened_what_serves_and_what_to_do(after: list[str], serves: str, todo: str) -> None:
    what, now, do = after
    assert what.startswith("0123456789ab failed in ")
    assert what.endswith(" It broke.")
    assert serves in now
    assert do.startswith("To do: ")
    assert todo in do


def test_a_build_s_log_is_named() -> None:
    told = FailureReport(
        "run", _COMMIT, "Build", "Build", "It broke.", "", "", BuildLog("/group", "stream")
    ).sentences()
    assert told[-1] == "Its log: aws logs get-log-events --log-group-name /group --log-stream-name stream"


def test_a_failed_smoke_is_told_check_by_check() -> None:
    # Given what a pipeline says of a smoke run that failed: its report, on one line
    checks = [
        {"name": "happy order", "ok": True, "detail": "as expected"},
        {"name": "stock", "ok": False, "detail": "{'a': 5}, expected {'a': 3}"},
    ]
    said = f"Execution x ended with status FAILED. SmokeFailed: {json.dumps({'run': 'r', 'checks': checks})}"
    # When it is made readable; Then what failed has a line, and what passed has none
    told = smoke.readable(said)
    assert told.splitlines() == [
        "Execution x ended with status FAILED. SmokeFailed: 1 of 2 checks failed.",
        "  ✗ stock: {'a': 5}, expected {'a': 3}",
    ]
    # And the sentence of what became of it ends before the lines
    what = FailureReport("run", _COMMIT, "Staging", "Smoke", told, "", "").sentences()[0]
    assert what.endswith("SmokeFailed: 1 of 2 checks failed.")


@pytest.mark.parametrize("said", ["", "It broke.", "No {braces} of ours", '{"checks": [', '{"checks": []}'])
def test_what_is_no_smoke_report_is_told_as_it_is(said: str) -> None:
    assert smoke.readable(said) == said


@pytest.mark.parametrize("bad", failing_releases.CASES, ids=lambda bad: bad.name)
def test_each_bad_commit_breaks_one_file_and_mends_the_others(bad: failing_releases.FailingRelease) -> None:
    sound = failing_releases.CASES[-1].files()
    files = bad.files()
    assert [name for name in files if files[name] != sound[name]] == ([bad.file] if bad.file else [])


def test_a_bad_commit_that_no_longer_breaks_anything_is_refused() -> None:
    gone = {"no such line": ""}
    bad = failing_releases.FailingRelease("old", "", failing_releases.CASES[0].file, gone, "Staging", "Smoke")
    with pytest.raises(Refused, match="does not hold what old replaces"):
        bad.files()


@pytest.mark.parametrize(
    ("action", "place"), [("Package", "Build: Package"), ("Build", "Build"), ("", "Build")]
)
def test_it_says_where_it_failed_and_an_action_s_name_once(action: str, place: str) -> None:
    assert f"failed in {place}. It broke." in _after("Build", action)[0]
