"""Stage conditions and their rules: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import (
    Json,
    Repository,
    Workshop,
    commands,
    condition,
    rule,
    stage,
)
from embedded_workbench import wait_until

pytestmark = pytest.mark.long

_NEVER, _ALWAYS = "* * * * JAN ? 1971", "* * * * * ?"


@pytest.fixture(scope="module")
def repository(workshop: Workshop) -> Repository:
    return workshop.repository()


def _run(workshop: Workshop, repository: Repository, *lines: str, **conditions: Any) -> tuple[str, str]:
    """Run a pipeline whose second stage has conditions, and a third after it."""
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage("Run", commands(*(lines or ("true",))), **conditions),
        stage("After", commands("true", name="After")),
    )
    execution = workshop.start(name)
    workshop.finished(name, execution)
    return name, execution


def _variable(operator: str, value: str) -> Json:
    return rule("VariableCheck", Variable="#{Source.BranchName}", Operator=operator, Value=value)


@pytest.mark.parametrize(
    "good",
    [
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
        _variable("EQ", "main"),
        _variable("NE", "other"),
        _variable("CONTAINS", "ai"),
        _variable("MATCHES", "ma.*"),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
        rule("DeploymentWindow", Cron=_ALWAYS, TimeZone="Europe/Berlin"),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-Commands.html
        rule("Commands", 'test -n "$CODEPIPELINE_EXECUTION_ID"'),
    ],
)
def test_an_entry_condition_that_is_met_lets_the_execution_in(
    workshop: Workshop, repository: Repository, good: Json
) -> None:
    name, execution = _run(workshop, repository, beforeEntry=condition("FAIL", good))
    workshop.succeeded(name, execution)
    state = workshop.stage(name, "Run")["beforeEntryConditionState"]
    assert state["latestExecution"]["status"] == "Succeeded"
    assert state["conditionStates"][0]["ruleStates"][0]["latestExecution"]["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (_variable("EQ", "release"), "does not satisfy EQ 'release'"),
        (rule("Commands", "exit 3"), "exit status 3"),
        (rule("CloudWatchAlarm", AlarmName="nobody-knows"), "Alarm nobody-knows does not exist"),
    ],
)
def test_an_entry_condition_that_is_not_met_fails_the_stage_before_its_actions(
    workshop: Workshop, repository: Repository, bad: Json, words: str
) -> None:
    name, execution = _run(
        workshop, repository, beforeEntry=condition("FAIL", _variable("EQ", "main") | {"name": "Good"}, bad)
    )
    assert workshop.execution(name, execution)["status"] == "Failed"
    assert words in workshop.execution(name, execution)["statusSummary"]
    assert "Run" not in workshop.actions(name, execution)
    listed = workshop.pipelines.list_rule_executions(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )["ruleExecutionDetails"]
    assert [(each["ruleName"], each["status"]) for each in listed] == [
        ("Rule", "Failed"),
        ("Good", "Succeeded"),
    ]


def test_a_closed_deployment_window_is_waited_for_until_the_rule_s_time_is_over(
    workshop: Workshop, repository: Repository
) -> None:
    # Given a window that never opens, in a world whose minutes take 0.2 seconds
    closed = rule("DeploymentWindow", Cron=_NEVER) | {"timeoutInMinutes": 5}
    with workshop.quick_minutes(0.2):
        # When
        began = time.monotonic()
        name, execution = _run(workshop, repository, beforeEntry=condition("FAIL", closed))
    # Then the stage waited its five minutes before it failed, and no action ran
    assert time.monotonic() - began >= 1
    assert "did not open within 5 minutes" in workshop.execution(name, execution)["statusSummary"]
    assert "Run" not in workshop.actions(name, execution)


def test_a_window_that_is_waited_for_can_be_overridden_and_a_condition_that_is_not_checked_cannot(
    workshop: Workshop, repository: Repository
) -> None:
    # Given an execution that waits for a window that never opens
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage("Run", commands("true"), beforeEntry=condition("FAIL", rule("DeploymentWindow", Cron=_NEVER))),
    )
    execution = workshop.start(name)
    where = {"pipelineName": name, "stageName": "Run", "pipelineExecutionId": execution}

    def status() -> str:
        state = workshop.stage(name, "Run").get("beforeEntryConditionState", {})
        return str(state.get("latestExecution", {}).get("status"))

    wait_until(lambda: status() == "InProgress", status, seconds=30)
    # When somebody overrides it; Then the stage runs, and its state says so
    workshop.pipelines.override_stage_condition(**where, conditionType="BEFORE_ENTRY")
    workshop.succeeded(name, execution)
    assert status() == "Overridden"
    with pytest.raises(ClientError, match="ConditionNotOverridable"):
        workshop.pipelines.override_stage_condition(**where, conditionType="BEFORE_ENTRY")


@pytest.mark.parametrize(("readings", "seen"), [({"alarm_rule_sees_composites": True}, True), ({}, False)])
def test_a_rule_on_a_composite_alarm_is_tried_by_both_readings(
    workshop: Workshop, repository: Repository, readings: dict[str, bool], seen: bool
) -> None:
    # Given a composite alarm that is quiet. Whether the rule finds it is not documented: DescribeAlarms
    # returns metric alarms alone unless it is asked for both types, so by default it does not.
    alarm = f"health-{workshop.bucket}-{seen}"
    workshop.client("cloudwatch").put_composite_alarm(AlarmName=alarm, AlarmRule="FALSE")
    # When
    with workshop.reading(**readings):
        check = condition("FAIL", rule("CloudWatchAlarm", AlarmName=alarm, WaitTime="0"))
        name, execution = _run(workshop, repository, beforeEntry=check)
    # Then
    summary = workshop.execution(name, execution).get("statusSummary", "")
    assert (summary == "") if seen else (f"Alarm {alarm} does not exist" in summary)


def test_an_entry_condition_can_skip_the_stage(workshop: Workshop, repository: Repository) -> None:
    name, execution = _run(workshop, repository, beforeEntry=condition("SKIP", _variable("EQ", "release")))
    workshop.succeeded(name, execution)
    assert workshop.stage(name, "Run")["latestExecution"]["status"] == "Skipped"
    assert set(workshop.actions(name, execution)) == {"Commit", "After"}


def test_a_rule_runs_a_build_and_holds_when_it_succeeds(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CodeBuild.html
    # Given a build that is told whether to succeed, over the source
    spec = 'version: 0.2\nphases: {build: {commands: [\'test "$WORD" = "$(cat word)"\']}}\n'
    repository = workshop.repository(buildspec_dot_yml=spec, word="good")
    project = workshop.project()

    def asked(word: str) -> Json:
        told = f'[{{"name": "WORD", "value": "{word}"}}]'
        return rule("CodeBuild", inputs=["Code"], ProjectName=project, EnvironmentVariables=told)

    # When it succeeds, then the rule holds
    name, execution = _run(workshop, repository, onSuccess=condition("FAIL", asked("good")))
    workshop.succeeded(name, execution)
    # And when it fails, then the rule does not, and says which command it was
    name, execution = _run(workshop, repository, onSuccess=condition("FAIL", asked("bad")))
    failed = workshop.execution(name, execution)
    assert (failed["status"], "Error while executing command" in failed["statusSummary"]) == ("Failed", True)


def test_a_success_condition_that_is_not_met_fails_the_stage_after_its_actions(
    workshop: Workshop, repository: Repository
) -> None:
    name, execution = _run(
        workshop, repository, onSuccess=condition("FAIL", rule("Commands", "echo unhealthy; false"))
    )
    assert workshop.execution(name, execution)["status"] == "Failed"
    assert workshop.actions(name, execution)["Run"]["status"] == "Succeeded"
    assert "After" not in workshop.actions(name, execution)


def test_a_failed_stage_is_retried_once_by_itself(workshop: Workshop, repository: Repository) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry-auto.html
    # Given an action that succeeds the second time
    marker = repository.folder / "tried"
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": "FAILED_ACTIONS"}}
    # When
    name, execution = _run(
        workshop, repository, f"[ -e '{marker}' ] || {{ touch '{marker}'; false; }}", onFailure=retry
    )
    # Then
    workshop.succeeded(name, execution)
    metadata = workshop.stage(name, "Run")["retryStageMetadata"]
    assert metadata == {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
    # And what fails again stays failed
    name, execution = _run(workshop, repository, "false", onFailure=retry)
    listed = workshop.pipelines.list_action_executions(pipelineName=name)["actionExecutionDetails"]
    mine = [
        each for each in listed if each["pipelineExecutionId"] == execution and each["actionName"] == "Run"
    ]
    assert [each["status"] for each in mine] == ["Failed", "Failed"]
