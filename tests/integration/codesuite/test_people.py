"""What people do with a pipeline at the command line: answer, retry, take back, and read why it stands."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from codepipeline_workbench import TOOLS, Workshop, approve, commands, stage

from embedded_aws import instance
from pipelines.aws import accounts
from pipelines.cli.main import main
from pipelines.promotion import control

ROOT = f"arn:aws:iam::{TOOLS}:root"
Payments = Callable[..., Result]


@pytest.fixture
def payments(embedded: instance.Instance) -> Payments:
    """Run `payments pipeline …` against the embedded AWS."""

    def run(*arguments: str) -> Result:
        environment = {"AWS_ENDPOINT_URL": embedded.endpoint, "COLUMNS": "300"}
        return CliRunner().invoke(main, ("pipeline", *arguments), env=environment)

    return run


def _said(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_rejection_says_who_and_why_to_whoever_looks(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    # Given a release that waits for an answer
    repository = workshop.repository()
    gated = stage("Approve", approve(configuration={"CustomData": "3 changes"}))
    name = workshop.create(stage("Source", workshop.source(repository)), gated)
    pipelines_stack(name)
    execution = workshop.start(name)
    workshop.approval(name, execution)
    asked = _said(payments("status"))
    assert "3 changes" in asked
    assert "payments pipeline reject release" in asked
    assert f"--execution {execution} --summary WHY" in asked
    # When it is rejected
    rejected = payments("reject", "--summary", "prices are wrong")
    # Then it ends, and the status says who did it and why
    assert (rejected.exit_code, f"{execution} is rejected and ends here." in _said(rejected)) == (0, True)
    assert workshop.finished(name, execution)["status"] == "Failed"
    said = _said(payments("status"))
    assert f"rejected by {ROOT}: prices are wrong" in said
    # And what that means
    assert f"failed in Approve. Rejected by {ROOT}: prices are wrong" in said
    assert "Production was not touched. To do: settle it with whoever rejected it, and push again." in said
    # And for a machine, too
    stages: list[Any] = json.loads(payments("status", "--json").output)["stages"]
    (action,) = next(one for one in stages if one["stageName"] == "Approve")["actionStates"]
    told = action["latestExecution"]
    assert (told["lastUpdatedBy"], told["summary"]) == (ROOT, "prices are wrong")


def test_an_approval_that_has_no_token_yet_is_no_question_yet(
    workshop: Workshop, embedded: instance.Instance
) -> None:
    # Given an approval whose action is in progress, as it is told in the moment before its token is made
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())), stage("Approve", approve())
    )
    token = workshop.approval(name, workshop.start(name))
    early = accounts.connect_tools(embedded.endpoint)
    early.session.events.register("after-call.codepipeline.GetPipelineState", _without_token)
    early.session.events.register("after-call.codepipeline.ListActionExecutions", _without_token)
    # When / Then
    assert control.pending_approvals(early, name) == []
    later = accounts.connect_tools(embedded.endpoint)
    assert [question.token for question in control.pending_approvals(later, name)] == [token]


def _without_token(parsed: dict[str, Any], **_told: object) -> None:
    for one in parsed.get("actionExecutionDetails", []):
        one["output"]["executionResult"].pop("externalExecutionId", None)
    for stage_state in parsed.get("stageStates", []):
        for action in stage_state["actionStates"]:
            action.get("latestExecution", {}).pop("token", None)


def test_the_end_of_a_failed_builds_log_is_shown(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    # Given a build that says a lot, and last why it fails
    spec = """
version: 0.2
phases:
  build:
    commands:
      - for i in $(seq 100); do echo line $i; done; echo no such table; false
"""
    repository = workshop.repository(**{"buildspec.yml": spec})
    building = stage("Build", workshop.build(workshop.project()))
    name = workshop.create(stage("Source", workshop.source(repository)), building)
    pipelines_stack(name)
    workshop.finished(name, workshop.start(name))
    # When somebody looks; Then the end of the log is there, in order
    said = _said(payments("status"))
    assert "| line 99 | line 100 | no such table |" in said
    assert "| line 40 |" not in said


def test_a_reason_is_never_cut_off(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    # Given a release that waits
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())), stage("Approve", approve())
    )
    pipelines_stack(name)
    execution = workshop.start(name)
    workshop.approval(name, execution)
    # When the reason is longer than CodePipeline takes
    refused = payments("reject", "--summary", "x" * 513)
    # Then it is refused, and the release still waits
    assert refused.exit_code == 1
    assert "A summary has 1 to 512 characters, and this one has 513." in _said(refused)
    assert workshop.execution(name, execution)["status"] == "InProgress"
    # And the longest is taken whole
    assert payments("reject", "--summary", "y" * 512).exit_code == 0
    assert workshop.stage(name, "Approve")["actionStates"][0]["latestExecution"]["summary"] == "y" * 512


def test_a_failed_stage_is_retried_where_it_failed(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    # Given a stage whose second action fails until a file is there
    repository = workshop.repository()
    mended = repository.folder / "mended"
    first, second = commands("true", name="First"), commands(f"[ -e '{mended}' ]", name="Second", runOrder=2)
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Staging", first, second))
    pipelines_stack(name)
    execution = workshop.start(name)
    workshop.finished(name, execution)
    # When the cause is mended and the stage is retried
    mended.touch()
    retried = payments("retry")
    # Then the same execution goes on, with the failed action alone
    assert f"Staging of {execution} runs again." in _said(retried)
    workshop.succeeded(name, execution)
    assert _attempts(workshop, name, execution) == {"First": 1, "Second": 2}
    # And there is nothing to retry any more
    again = payments("retry", "--stage", "Staging")
    assert again.exit_code == 1
    assert f"The stage Staging of {name} has not failed" in _said(again)


def test_a_whole_stage_is_retried_when_asked(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    repository = workshop.repository()
    first, second = commands("true", name="First"), commands("false", name="Second", runOrder=2)
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Staging", first, second))
    pipelines_stack(name)
    execution = workshop.start(name)
    workshop.finished(name, execution)
    assert payments("retry", "--whole").exit_code == 0
    workshop.finished(name, execution)
    assert _attempts(workshop, name, execution) == {"First": 2, "Second": 2}


def test_going_back_needs_an_earlier_release(
    workshop: Workshop, pipelines_stack: Callable[[str], None], payments: Payments
) -> None:
    # Given a pipeline with one release
    repository = workshop.repository()
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Staging", commands("true")))
    pipelines_stack(name)
    first = workshop.start(name)
    workshop.succeeded(name, first)
    # Then there is nothing to go back to
    nowhere = payments("rollback", "Staging")
    assert (nowhere.exit_code, "there is nothing to go back to" in _said(nowhere)) == (1, True)
    # And after a second one, it is the first
    workshop.succeeded(name, workshop.start(name))
    back = payments("rollback", "Staging")
    assert back.exit_code == 0
    rollback = workshop.executions(name)[0]
    assert rollback["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    workshop.succeeded(name, rollback["pipelineExecutionId"])


def _attempts(workshop: Workshop, name: str, execution: str) -> dict[str, int]:
    listed = workshop.pipelines.list_action_executions(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    names = [one["actionName"] for one in listed if one["stageName"] == "Staging"]
    return {one: names.count(one) for one in names}
