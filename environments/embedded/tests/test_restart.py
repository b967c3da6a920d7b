"""An embedded AWS that is killed in the middle of its promotions loses no execution."""

import functools
import json
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import psutil
import pytest
from codepipeline_workbench import (
    Json,
    Repository,
    Workshop,
    action,
    approve,
    await_stacks,
    commands,
    stage,
)
from embedded_workbench import wait_until

from embedded_aws import instance

pytestmark = pytest.mark.long

_BUILDSPEC = "version: 0.2\nphases: {build: {commands: ['sleep 60']}}\n"
_TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {}}
_HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
_NEVER = {
    "Type": "AWS::CloudFormation::WaitCondition",
    "Properties": {"Handle": {"Ref": "H"}, "Timeout": 600},
}
_STACKS = {
    "created": {"H": _HANDLE, "Never": _NEVER},
    "updated": {"T": _TOPIC, "H": _HANDLE, "Never": _NEVER},
}
"""What is waited for never comes, so the stack is still changing when the instance is killed."""


@dataclass
class _Kept:
    """An instance of this module's own, that keeps its state."""

    root: Path

    def start(self) -> None:
        self.running = instance.start(self.root, mongodb=False, keep=True, attached=True)

    def client(self, service: str, account: str, region: str) -> Any:
        make: Any = boto3.session.Session(account, "any", region_name=region).client
        config = botocore.config.Config(retries={"max_attempts": 0})
        return make(service, endpoint_url=self.running.endpoint, config=config)

    def kill(self) -> None:
        process = psutil.Process(self.running.pid)
        os.kill(self.running.pid, signal.SIGKILL)
        process.wait(10)


@dataclass(frozen=True)
class _Promotion:
    """A pipeline and its execution that was under way when the instance was killed."""

    pipeline: str
    execution: str
    repository: Repository


@dataclass
class _Scene:
    """What there was before the instance was killed, and what was done while it was down."""

    workshop: Workshop
    gated: _Promotion
    token: str
    interrupted: dict[str, _Promotion]
    watching: dict[str, str]
    pushed: dict[str, str]


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Scene]:
    """The scene after the kill and another start; its tests do not touch each other's pipelines."""
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    kept = _Kept(root)
    kept.start()
    scene = _before(Workshop(kept.client, kept.running, tmp_path_factory.mktemp("repositories")))
    known, unknown = scene.workshop.repository(), scene.workshop.unregistered_repository()
    scene.watching = {one.name: _watching(scene.workshop, one) for one in (known, unknown)}
    # An action that was done, with which the instance's state is written down.
    _first(scene.workshop, known)
    kept.kill()
    scene.workshop.register(unknown)
    scene.pushed = {one.name: one.commit(code="1") for one in (known, unknown)}
    kept.start()
    yield scene
    instance.stop(root)
    shutil.rmtree(root, ignore_errors=True)


def _before(workshop: Workshop) -> _Scene:
    """One execution that waits at the gate, and some in the middle of what they do."""
    repository = workshop.repository(buildspec_dot_yml=_BUILDSPEC)
    source = stage("Source", workshop.source(repository))
    name = workshop.create(source, stage("Approve", approve()), stage("After", commands("cat README")))
    gated = _Promotion(name, workshop.start(name), repository)
    token = workshop.approval(gated.pipeline, gated.execution)
    busy = {
        "commands": commands("sleep 60"),
        "build": workshop.build(workshop.project(), name="Run"),
        "workflow": action("Run", "Invoke", "StepFunctions", {"StateMachineArn": _machine(workshop)}),
    }
    interrupted = {}
    for name, one in busy.items():
        pipeline = workshop.create(source, stage("Run", one))
        interrupted[name] = _Promotion(pipeline, workshop.start(pipeline), repository)
    for name, resources in _STACKS.items():
        interrupted[name] = _changing(workshop, name, resources)
    for promotion in interrupted.values():
        wait_until(functools.partial(_runs, workshop, promotion), "the action runs")
    return _Scene(workshop, gated, token, interrupted, {}, {})


def _changing(workshop: Workshop, stack: str, resources: Json) -> _Promotion:
    """Release a template by a change set; the stack to be updated is there before."""
    if stack == "updated":
        cloudformation = workshop.client("cloudformation")
        cloudformation.create_stack(StackName=stack, TemplateBody=_template({"T": _TOPIC}))
        await_stacks(cloudformation, "create", stack)
    repository = workshop.repository(template_dot_json=_template(resources))
    there = {
        "StackName": stack,
        "ChangeSetName": "release",
        "RoleArn": workshop.role("stacks", "cloudformation.amazonaws.com", ["*"]),
    }
    change = {"ActionMode": "CHANGE_SET_REPLACE", "TemplatePath": "Code::template.json", **there}
    execute = {"ActionMode": "CHANGE_SET_EXECUTE", **there}
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage(
            "Run",
            action("Change", "Deploy", "CloudFormation", change, inputs=["Code"]),
            action("Run", "Deploy", "CloudFormation", execute, runOrder=2),
        ),
    )
    return _Promotion(name, workshop.start(name), repository)


def _template(resources: Json) -> str:
    return json.dumps({"Resources": resources})


def _machine(workshop: Workshop) -> str:
    role = workshop.role("machine", "states.amazonaws.com", ["logs:*"])
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 36_000, "End": True}}}
    made = workshop.client("stepfunctions").create_state_machine(
        name=f"waits-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])


def _runs(workshop: Workshop, one: _Promotion) -> bool:
    found: Json = workshop.actions(one.pipeline, one.execution).get("Run", {})
    told = found.get("output", {}).get("executionResult", {})
    provider = found.get("input", {}).get("actionTypeId", {}).get("provider")
    return bool(found) and (provider == "Commands" or bool(told.get("externalExecutionId")))


def _watching(workshop: Workshop, repository: Repository) -> str:
    source = workshop.source(repository, configuration={"DetectChanges": "true"})
    return workshop.create(stage("Source", source), stage("Run", commands("true")))


def _first(workshop: Workshop, repository: Repository) -> None:
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", commands("true")))
    workshop.succeeded(name, workshop.start(name))


def test_a_gate_still_waits_for_the_same_answer(after: _Scene) -> None:
    # Given an execution that waited at its gate when the instance was killed
    workshop, gated = after.workshop, after.gated
    assert workshop.execution(gated.pipeline, gated.execution)["status"] == "InProgress"
    # When the answer comes, with the token of then, after the instance is up again
    workshop.answer(gated.pipeline, after.token)
    # Then the execution goes on, with the artifacts that were made before
    workshop.succeeded(gated.pipeline, gated.execution)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("commands", "was stopped while this action ran"),
        ("build", "was stopped while this build ran"),
        ("workflow", "Execution was running when service restarted"),
        ("created", "was stopped while stack created changed"),
        ("updated", "was stopped while stack updated changed"),
    ],
)
def test_what_was_interrupted_fails_visibly(after: _Scene, what: str, reason: str) -> None:
    workshop, promotion = after.workshop, after.interrupted[what]
    assert workshop.finished(promotion.pipeline, promotion.execution)["status"] == "Failed"
    assert reason in workshop.error(promotion.pipeline, promotion.execution, "Run")


@pytest.mark.parametrize(("stack", "status"), [("created", "CREATE_FAILED"), ("updated", "UPDATE_FAILED")])
def test_a_stack_that_was_interrupted_says_so_and_takes_the_next_release(
    after: _Scene, stack: str, status: str
) -> None:
    # Given a stack that was changing when the instance was killed
    workshop, promotion = after.workshop, after.interrupted[stack]
    workshop.finished(promotion.pipeline, promotion.execution)
    cloudformation = workshop.client("cloudformation")
    (newest, *_) = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    assert (newest["ResourceStatus"], newest["LogicalResourceId"]) == (status, stack)
    assert "stopped" in newest["ResourceStatusReason"]
    # When a commit that needs not wait is released
    promotion.repository.commit(template_dot_json=_template({"T": _TOPIC, "H": _HANDLE}))
    workshop.succeeded(promotion.pipeline, workshop.start(promotion.pipeline))
    # Then the stack is what that says
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    assert {one["LogicalResourceId"]: one["ResourceStatus"].partition("_")[2] for one in resources} == {
        "T": "COMPLETE",
        "H": "COMPLETE",
    }


def test_what_is_pushed_while_the_instance_is_down_starts_its_pipelines(after: _Scene) -> None:
    # Given a repository that was known, and one that was registered while the instance was down
    # Then each push made meanwhile started its pipeline once it was up again, with that commit
    for name, commit in after.pushed.items():
        assert _pushed_commit(after.workshop, after.watching[name]) == commit


def _pushed_commit(workshop: Workshop, pipeline: str) -> str:
    """Wait for the execution that a push starts, and for its end; return its commit."""

    def started() -> list[str]:
        return [
            each["pipelineExecutionId"]
            for each in workshop.executions(pipeline)
            if each["trigger"]["triggerType"] == "WebhookV2"
        ]

    (execution,) = wait_until(started, f"the push starts {pipeline}")
    workshop.succeeded(pipeline, execution)
    source = workshop.actions(pipeline, execution)["Commit"]["output"]["outputVariables"]
    return str(source["CommitId"])
