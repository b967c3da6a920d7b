"""Lambda functions that a pipeline asks: they answer with a job's result."""

import io
import json
import uuid
import zipfile

import pytest
from codepipeline_workbench import Json, Workshop, action, commands, condition, rule, stage

pytestmark = pytest.mark.long

_HANDLER = """
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]
    word = job["data"]["actionConfiguration"]["configuration"].get("UserParameters", "")
    client = boto3.client("codepipeline")
    if word == "crash":
        raise RuntimeError("broken")
    if word.startswith("stop "):
        _, pipeline, execution = word.split()
        client.stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution, abandon=True)
    if word == "bad":
        details = {"type": "JobFailed", "message": "not good"}
        client.put_job_failure_result(jobId=job["id"], failureDetails=details)
    else:
        client.put_job_success_result(jobId=job["id"], outputVariables={"Word": word})
"""


@pytest.fixture(scope="module")
def function(workshop: Workshop) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("answer.py", _HANDLER)
    name = f"answer-{uuid.uuid4().hex[:8]}"
    workshop.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="answer.handler",
        Role=workshop.role("answer", "lambda.amazonaws.com", ["codepipeline:*", "logs:*"]),
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
    )
    return name


def test_an_action_invokes_a_function_and_waits_for_its_answer(workshop: Workshop, function: str) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
    # Given
    def invoke(name: str) -> Json:
        asked = {"FunctionName": function, "UserParameters": name.lower()}
        return action(name, "Invoke", "Lambda", asked, namespace=name)

    repository = workshop.repository()
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage("Ask", invoke("Good"), invoke("Bad"), invoke("Crash")),
    )
    # When
    execution = workshop.start(name)
    workshop.finished(name, execution)
    # Then
    good = workshop.actions(name, execution)["Good"]
    assert (good["status"], good["output"]["outputVariables"]) == ("Succeeded", {"Word": "good"})
    assert workshop.error(name, execution, "Bad") == "not good"
    assert "broken" in workshop.error(name, execution, "Crash")


def test_a_rule_holds_when_its_function_says_so(workshop: Workshop, function: str) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-LambdaInvoke.html
    # Given
    repository = workshop.repository()

    def execution(word: str) -> Json:
        asked = condition("FAIL", rule("LambdaInvoke", FunctionName=function, UserParameters=word))
        name = workshop.create(
            stage("Source", workshop.source(repository)), stage("Run", commands("true"), beforeEntry=asked)
        )
        return workshop.finished(name, workshop.start(name))

    # When / Then
    assert execution("good")["status"] == "Succeeded"
    assert "Rule Rule: not good" in execution("bad")["statusSummary"]
    assert json.dumps(execution("crash")["statusSummary"]).count("broken")


def test_an_abandoned_action_stays_abandoned_when_its_answer_comes_late(
    workshop: Workshop, function: str
) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html
    # Given a function that stops its own execution, and only then says that its job went well
    asked = {"FunctionName": function, "UserParameters": "good"}
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Ask", action("Ask", "Invoke", "Lambda", asked)),
        stage("After", commands("true", name="After")),
    )
    told = workshop.pipelines.get_pipeline(name=name)["pipeline"]
    asked = told["stages"][1]["actions"][0]["configuration"]
    asked["UserParameters"] = f"stop {name} #{{codepipeline.PipelineExecutionId}}"
    workshop.pipelines.update_pipeline(pipeline=told)
    # When it was answered, which a later execution of the same pipeline shows
    abandoned = workshop.start(name)
    workshop.finished(name, abandoned)
    later = workshop.start(name)
    workshop.finished(name, later)
    # Then it stays abandoned, and nothing came after it
    for execution in (abandoned, later):
        assert workshop.execution(name, execution)["status"] == "Stopped"
    actions = workshop.actions(name, abandoned)
    assert actions["Ask"]["status"] == "Abandoned"
    assert "After" not in actions
