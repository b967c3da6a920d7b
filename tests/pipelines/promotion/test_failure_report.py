"""What is said of a release that failed: what happened, what serves, what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.refusals import Refused
from pipelines.orders import smoke
from pipelines.promotion import failure_report
from pipelines.promotion.failure_report import BuildLog, FailureReport
from pipelines.rehearsal import failing_releases
from tests.pipelines.promotion.action_executions import failed_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
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


def _codepipeline(
    execution: Json, actions: list[Json], executions: list[Json]
) -> list[tuple[str, Json, Json]]:
    run = {"pipelineName": "release", "pipelineExecutionId": "run"}
    which = {"pipelineName": "release", "filter": {"pipelineExecutionId": "run"}}
    return [
        ("get_pipeline_execution", run, {"pipelineExecution": run | execution}),
        ("list_action_executions", which, {"actionExecutionDetails": actions}),
        ("list_pipeline_executions", {"pipelineName": "release"}, {"pipelineExecutionSummaries": executions}),
    ]


def _rollback(status: str, failed: str = "run") -> Json:
    trigger = {"triggerType": "AutomatedRollback", "triggerDetail": f"FailedPipelineExecutionId:{failed}"}
    return {"pipelineExecutionId": f"back-from-{failed}", "status": status, "trigger": trigger}


@pytest.mark.parametrize(("status", "restored"), [("Succeeded", "Succeeded"), ("InProgress", "")])
def test_a_failed_build_is_explained_with_its_log_and_with_the_rollback_of_this_very_execution(
    aws: Aws, answers: Callable[..., None], status: str, restored: str
) -> None:
    # Given a build that failed, and the rollbacks of this execution and of another
    result = {"errorDetails": {"message": "It broke."}, "externalExecutionId": "smoke:1"}
    commit = {"artifactRevisions": [{"name": "Source", "revisionId": _COMMIT}]}
    answers(
        "codepipeline",
        *_codepipeline(
            commit,
            [failed_action("Smoke", "CodeBuild", result, "Staging")],
            [{"pipelineExecutionId": "run"}, _rollback("Failed", "other"), _rollback(status)],
        ),
    )
    build = {"id": "smoke:1", "logs": {"groupName": "/group", "streamName": "stream"}}
    answers("codebuild", ("batch_get_builds", {"ids": ["smoke:1"]}, {"builds": [build]}))
    answers(
        "logs",
        (
            "get_log_events",
            {"logGroupName": "/group", "logStreamName": "stream", "limit": 40},
            {"events": [{"message": "one\n"}, {"message": "two\n"}]},
        ),
    )
    # Then each is in the report
    log = BuildLog("/group", "stream", ("one", "two"))
    assert failure_report.explain(aws, "release", "run") == FailureReport(
        "run", _COMMIT, "Staging", "Smoke", "It broke.", "back-from-run", restored, log
    )


def test_a_stage_that_a_condition_failed_is_explained_by_the_execution_s_own_words(
    aws: Aws, answers: Callable[..., None]
) -> None:
    # Given an execution of which no action failed, and that nothing took back
    succeeded = failed_action("Deploy", "CloudFormation", {}, "Staging") | {"status": "Succeeded"}
    answers("codepipeline", *_codepipeline({"statusSummary": "The alarm rang."}, [succeeded], []))
    # Then the last stage that it came to failed, and there is no log to read
    assert failure_report.explain(aws, "release", "run", "branch") == FailureReport(
        "run", "", "Staging", "", "The alarm rang.", "", "", which="branch"
    )


def test_who_may_not_read_logs_is_told_where_the_log_is(aws: Aws, answers: Callable[..., None]) -> None:
    # Given a reader who may see pipelines and not their logs
    failed = failed_action("Check", "CodeBuild", {"externalExecutionId": "check:1"}, "Staging")
    answers("codepipeline", *_codepipeline({}, [failed], []))
    build = {"id": "check:1", "logs": {"groupName": "/group", "streamName": "stream"}}
    answers("codebuild", ("batch_get_builds", {"ids": ["check:1"]}, {"builds": [build]}))
    answers("logs")
    answers.stubs["logs"].add_client_error("get_log_events", "AccessDeniedException")  # type: ignore[attr-defined]
    # Then its place is named, and none of its lines are
    assert failure_report.explain(aws, "release", "run").log == BuildLog("/group", "stream")
