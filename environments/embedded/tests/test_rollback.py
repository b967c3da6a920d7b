"""Taking a stage back: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html."""

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import (
    Json,
    Workshop,
    approve,
    commands,
    condition,
    rule,
    stage,
)
from embedded_workbench import wait_until

pytestmark = pytest.mark.long


def _deploying(workshop: Workshop, **conditions: Json) -> tuple[str, str, Json]:
    """A pipeline that writes what it deploys to a file, and its first, good execution."""
    repository = workshop.repository(version="good")
    place = repository.folder.parent / f"{repository.folder.name}-serving"
    run = commands(f"cp version '{place}'", "grep -q good version", name="Deploy")
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Deploy", run, **conditions))
    good = workshop.start(name)
    workshop.succeeded(name, good)
    return name, good, {"repository": repository, "place": place}


def _rollback(workshop: Workshop, name: str) -> Json:
    found = wait_until(
        lambda: [each for each in workshop.executions(name) if each["executionType"] == "ROLLBACK"],
        "the rollback",
    )[0]
    workshop.succeeded(name, found["pipelineExecutionId"])
    return found


def test_a_failed_stage_goes_back_to_its_last_good_execution(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
    # Given
    name, good, given = _deploying(workshop, onFailure={"result": "ROLLBACK"})
    given["repository"].commit(version="broken")
    # When
    bad = workshop.start(name)
    # Then the failed execution stays failed, and another one deploys the old artifacts again
    assert workshop.finished(name, bad)["status"] == "Failed"
    rollback = _rollback(workshop, name)
    assert rollback["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": good}
    assert rollback["trigger"] == {
        "triggerType": "AutomatedRollback",
        "triggerDetail": f"FailedPipelineExecutionId:{bad}",
    }
    assert given["place"].read_text() == "good"
    assert set(workshop.actions(name, rollback["pipelineExecutionId"])) == {"Deploy"}
    assert workshop.stage(name, "Deploy")["latestExecution"]["type"] == "ROLLBACK"
    # And the next failure goes back to that standard execution, too, never to a rollback
    workshop.finished(name, workshop.start(name))
    wait_until(
        lambda: [e["executionType"] for e in workshop.executions(name)].count("ROLLBACK") == 2,
        "the second rollback",
    )
    assert workshop.executions(name)[0]["rollbackMetadata"] == rollback["rollbackMetadata"]


@pytest.mark.parametrize(("check", "goes_back"), [("true", True), ("false", False)])
def test_a_failure_condition_goes_back_when_its_rules_hold(
    workshop: Workshop, check: str, goes_back: bool
) -> None:
    # "The action to be done when the condition is met. For example, rolling back an execution for a failure
    # condition": https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Condition.html
    # Given
    name, good, given = _deploying(workshop, onFailure=condition("ROLLBACK", rule("Commands", check)))
    given["repository"].commit(version="broken")
    # When
    bad = workshop.start(name)
    # Then
    assert workshop.finished(name, bad)["status"] == "Failed"
    if goes_back:
        assert _rollback(workshop, name)["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert given["place"].read_text() == ("good" if goes_back else "broken")
    assert len(workshop.executions(name)) == (3 if goes_back else 2)


@pytest.mark.parametrize(("reading", "deployed"), [("target", "one"), ("current", "two")])
def test_a_rollback_uses_the_variables_of_one_execution_or_of_the_other(
    workshop: Workshop, reading: str, deployed: str
) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html says those of the target.
    # Given a stage that writes a pipeline variable's value, run with `one` and then with `two`
    repository = workshop.repository()
    place = repository.folder.parent / f"{repository.folder.name}-serving"
    write = commands(f"printf %s \"$WHAT\" > '{place}'", name="Deploy")
    write["environmentVariables"] = [{"name": "WHAT", "value": "#{variables.what}"}]
    declared = [{"name": "what", "defaultValue": "none"}]
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Deploy", write), variables=declared
    )
    first, second = (
        workshop.start(name, variables=[{"name": "what", "value": value}]) for value in ("one", "two")
    )
    workshop.succeeded(name, first)
    workshop.succeeded(name, second)
    # When
    ask = {"pipelineName": name, "stageName": "Deploy", "targetPipelineExecutionId": first}
    with workshop.reading(rollback_variables=reading):
        rollback = workshop.pipelines.rollback_stage(**ask)["pipelineExecutionId"]
        workshop.succeeded(name, rollback)
    # Then
    assert place.read_text() == deployed


@pytest.mark.parametrize("checked", [False, True])
def test_a_rollback_checks_the_stage_s_conditions_or_does_not(workshop: Workshop, checked: bool) -> None:
    # Given a stage whose entry condition holds at first and not any more
    repository = workshop.repository()
    closed = repository.folder.parent / f"{repository.folder.name}-closed"
    gate = condition("FAIL", rule("Commands", f"[ ! -e '{closed}' ]"))
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Deploy", commands("true"), beforeEntry=gate)
    )
    good = workshop.start(name)
    workshop.succeeded(name, good)
    closed.touch()
    # When
    ask = {"pipelineName": name, "stageName": "Deploy", "targetPipelineExecutionId": good}
    with workshop.reading(rollback_checks_conditions=checked):
        rollback = workshop.pipelines.rollback_stage(**ask)["pipelineExecutionId"]
        ended = workshop.finished(name, rollback)
    # Then
    assert ended["status"] == ("Failed" if checked else "Succeeded")


def test_without_an_earlier_success_nothing_is_rolled_back_and_that_is_said(workshop: Workshop) -> None:
    repository = workshop.repository()
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage("Deploy", commands("false"), onFailure={"result": "ROLLBACK"}),
    )
    execution = workshop.start(name)
    assert "Nothing was rolled back" in workshop.finished(name, execution)["statusSummary"]


def test_an_alarm_after_the_deployment_rolls_it_back(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html
    # Given an alarm that is quiet during the first execution
    cloudwatch, alarm = workshop.client("cloudwatch"), f"health-{workshop.bucket}"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        MetricName="Errors",
        Namespace="Shop",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="quiet")
    watch = condition("ROLLBACK", rule("CloudWatchAlarm", AlarmName=alarm, AlarmStates="ALARM", WaitTime="0"))
    name, good, given = _deploying(workshop, onSuccess=watch)
    given["repository"].commit(version="good but slow")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="slow")
    # When
    slow = workshop.start(name)
    # Then
    assert workshop.finished(name, slow)["status"] == "Failed"
    assert _rollback(workshop, name)["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert given["place"].read_text() == "good"


def test_a_person_can_roll_back_and_is_refused_what_cannot_be(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RollbackStage.html
    # Given
    name, good, given = _deploying(workshop)
    given["repository"].commit(version="good, too")
    workshop.succeeded(name, workshop.start(name))
    ask = {"pipelineName": name, "stageName": "Deploy", "targetPipelineExecutionId": good}

    def refused(**change: str) -> str:
        with pytest.raises(ClientError) as caught:
            workshop.pipelines.rollback_stage(**ask | change)
        return str(caught.value.response["Error"]["Code"])

    # When
    rollback = workshop.pipelines.rollback_stage(**ask)["pipelineExecutionId"]
    # Then
    assert workshop.succeeded(name, rollback)["trigger"]["triggerType"] == "ManualRollback"
    assert given["place"].read_text() == "good"
    assert refused(stageName="Source") == "UnableToRollbackStageException"
    assert refused(targetPipelineExecutionId=rollback) == "UnableToRollbackStageException"
    assert refused(stageName="Nowhere") == "StageNotFoundException"
    changed = workshop.pipelines.get_pipeline(name=name)["pipeline"]
    workshop.pipelines.update_pipeline(pipeline=changed)
    assert refused() == "PipelineExecutionOutdatedException"


def test_a_failed_stage_can_be_retried_from_the_failed_action_or_from_its_start(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
    # Given a stage whose second action fails until a file is there
    repository = workshop.repository()
    mended = repository.folder / "mended"
    first = commands("true", name="First")
    second = commands(f"[ -e '{mended}' ]", name="Second", runOrder=2)
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", first, second))
    execution = workshop.start(name)
    workshop.finished(name, execution)
    ask = {"pipelineName": name, "stageName": "Run", "pipelineExecutionId": execution}
    # When
    workshop.pipelines.retry_stage_execution(**ask, retryMode="ALL_ACTIONS")
    workshop.finished(name, execution)
    mended.touch()
    workshop.pipelines.retry_stage_execution(**ask, retryMode="FAILED_ACTIONS")
    # Then
    workshop.succeeded(name, execution)
    listed = workshop.pipelines.list_action_executions(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    attempts = [(each["actionName"], each["status"]) for each in reversed(listed)][1:]
    assert attempts == [
        ("First", "Succeeded"),
        ("Second", "Failed"),
        ("First", "Succeeded"),
        ("Second", "Failed"),
        ("Second", "Succeeded"),
    ]
    with pytest.raises(ClientError, match="StageNotRetryableException"):
        workshop.pipelines.retry_stage_execution(**ask, retryMode="ALL_ACTIONS")


def test_a_retry_of_an_execution_that_was_passed_is_refused(workshop: Workshop) -> None:
    repository = workshop.repository()
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Approve", approve()))
    old = workshop.start(name)
    workshop.answer(name, workshop.approval(name, old), status="Rejected")
    new = workshop.start(name)
    workshop.answer(name, workshop.approval(name, new), status="Rejected")
    workshop.finished(name, new)
    with pytest.raises(ClientError, match="NotLatestPipelineExecutionException"):
        workshop.pipelines.retry_stage_execution(
            pipelineName=name, stageName="Approve", pipelineExecutionId=old, retryMode="FAILED_ACTIONS"
        )
