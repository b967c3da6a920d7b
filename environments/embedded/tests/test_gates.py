"""Approvals, transitions, stopping: https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html."""

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import TOOLS, Workshop, approve, commands, stage
from embedded_workbench import wait_until


def _gated(workshop: Workshop, **approval: object) -> str:
    repository = workshop.repository()
    return workshop.create(
        stage("Source", workshop.source(repository)), stage("Approve", approve(**approval)), mode="QUEUED"
    )


def _code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_rejection_fails_the_stage_and_says_who_and_why(workshop: Workshop) -> None:
    # Given
    name = _gated(workshop)
    execution = workshop.start(name)
    # When
    workshop.answer(name, workshop.approval(name, execution), status="Rejected", summary="prices are wrong")
    # Then
    assert workshop.finished(name, execution)["status"] == "Failed"
    assert workshop.error(name, execution, "Approve") == (
        f"Rejected by arn:aws:iam::{TOOLS}:root: prices are wrong"
    )
    state = workshop.stage(name, "Approve")["actionStates"][0]["latestExecution"]
    assert (state["summary"], state["lastUpdatedBy"]) == ("prices are wrong", f"arn:aws:iam::{TOOLS}:root")


def test_an_approval_is_given_once_and_with_its_own_token(workshop: Workshop) -> None:
    # Given
    name = _gated(workshop)
    execution = workshop.start(name)
    token = workshop.approval(name, execution)
    # When / Then
    with pytest.raises(ClientError) as caught:
        workshop.answer(name, "00000000-0000-0000-0000-000000000000")
    assert _code(caught) == "InvalidApprovalTokenException"
    with pytest.raises(ClientError) as caught:
        workshop.answer(name, token, stage="Nowhere")
    assert _code(caught) == "StageNotFoundException"
    workshop.answer(name, token)
    with pytest.raises(ClientError) as caught:
        workshop.answer(name, token)
    assert _code(caught) == "ApprovalAlreadyCompletedException"


def test_who_waits_is_told_with_the_evidence(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
    # Given a topic that somebody hears
    topic = workshop.client("sns").create_topic(Name=f"approvals-{workshop.bucket}")["TopicArn"]
    heard = workshop.listen(topic)
    evidence = {
        "NotificationArn": topic,
        "CustomData": "3 changes",
        "ExternalEntityLink": "https://docs/evidence",
    }
    name = _gated(workshop, configuration=evidence)
    # When
    token = workshop.approval(name, workshop.start(name))
    # Then
    told = heard()["approval"]
    assert (told["pipelineName"], told["token"], told["customData"]) == (name, token, "3 changes")
    assert told["externalEntityLink"] == "https://docs/evidence"


def test_a_disabled_transition_holds_executions_until_it_is_enabled(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
    # Given
    name = _gated(workshop)
    place = {"pipelineName": name, "stageName": "Approve", "transitionType": "Inbound"}
    assert workshop.stage(name, "Approve")["inboundTransitionState"] == {"enabled": True}
    workshop.pipelines.disable_stage_transition(**place, reason="freeze")
    execution = workshop.start(name)
    wait_until(lambda: workshop.stage(name, "Approve").get("inboundExecutions"), "the execution waits")
    held = workshop.stage(name, "Approve")["inboundTransitionState"]
    # When
    workshop.pipelines.enable_stage_transition(**place)
    # Then
    assert (held["enabled"], held["disabledReason"]) == (False, "freeze")
    workshop.answer(name, workshop.approval(name, execution))
    workshop.succeeded(name, execution)


def test_stopping_waits_for_the_action_in_progress_or_abandons_it(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html
    # Given an action that ends when a file appears
    repository = workshop.repository()
    marker = repository.folder / "go"
    wait = commands(f"until [ -e '{marker}' ]; do sleep 0.05; done")
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Run", wait), stage("Approve", approve())
    )
    execution = workshop.start(name)
    wait_until(lambda: "Run" in workshop.actions(name, execution), "the commands run")
    stop = {"pipelineName": name, "pipelineExecutionId": execution, "reason": "wrong commit"}
    # When
    workshop.pipelines.stop_pipeline_execution(**stop)
    stopping = workshop.execution(name, execution)["status"]
    with pytest.raises(ClientError) as caught:
        workshop.pipelines.stop_pipeline_execution(**stop)
    marker.touch()
    # Then
    assert stopping == "Stopping"
    assert _code(caught) == "DuplicatedStopRequestException"
    assert workshop.finished(name, execution)["status"] == "Stopped"
    assert workshop.actions(name, execution)["Run"]["status"] == "Succeeded"
    assert "Approve" not in workshop.actions(name, execution)
    # And when it is abandoned
    marker.unlink()
    another = workshop.start(name)
    wait_until(lambda: "Run" in workshop.actions(name, another), "the commands run")
    workshop.pipelines.stop_pipeline_execution(**stop | {"pipelineExecutionId": another}, abandon=True)
    assert workshop.finished(name, another)["status"] == "Stopped"
    assert workshop.actions(name, another)["Run"]["status"] == "Abandoned"
