"""Production's stage on a live pipeline: it goes back when it must, by either reading, and only then."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from codepipeline_workbench import (
    Json,
    Repository,
    Workshop,
    action,
    delete_stacks,
    stage,
)

from environments import schema
from pipelines.definitions.release_stages import RELEASE
from tests.waiting import wait_until

_PROD = schema.load("prod")
NETWORK, STACK = _PROD.network_stack, _PROD.default_stack
_CHECK = Path(__file__).with_name("production_check.py")
_BUILDSPEC = f"""
version: 0.2
phases:
  build:
    commands:
      - {sys.executable} {_CHECK} "$WHAT"
"""
_CODE = ["logs:*", "s3:*", "codebuild:*", "cloudformation:*", "codepipeline:Get*", "codepipeline:List*"]


def _template(value: str) -> str:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": value}}
    return json.dumps({"Resources": {"Topic": topic}, "Outputs": {"Version": {"Value": value}}})


class Production:
    """A pipeline of Source and Production, with the release pipeline's change sets, checks and way back."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._repository: Repository = workshop.repository(buildspec_dot_yml=_BUILDSPEC)
        self._cloudformation = workshop.client("cloudformation")
        role = workshop.role("deploy", "cloudformation.amazonaws.com", ["*"])
        project = workshop.project(serviceRole=workshop.role("check", "codebuild.amazonaws.com", _CODE))
        self.name = workshop.create(
            stage("Source", workshop.source(self._repository)),
            stage(
                "Production",
                _prepare("network", NETWORK, role),
                _prepare("payments", STACK, role),
                self._check(project, "Verify", "prepared", order=2),
                _execute("network", NETWORK, order=3),
                _execute("payments", STACK, order=4),
                self._check(project, "Compare", "compare", order=5),
                onFailure={"result": "ROLLBACK"},
            ),
        )

    def release(self, version: str) -> tuple[str, str]:
        """Release a version; return its execution and how that ended."""
        files = {
            f"{name}.json": _template(text) for name, text in (("network", "one"), ("payments", version))
        }
        written = {name.replace(".", "_dot_"): text for name, text in files.items()}
        self._repository.commit(version=version, **written)
        execution = self._workshop.start(self.name)
        return execution, str(self._workshop.finished(self.name, execution)["status"])

    def rollback_of(self, execution: str) -> Json:
        """Wait until the automatic rollback after a failure has ended."""

        def ended() -> Json | None:
            for run in self._workshop.executions(self.name):
                if run["trigger"]["triggerDetail"] == f"FailedPipelineExecutionId:{execution}":
                    return run if run["status"] in {"Succeeded", "Failed"} else None
            return None

        return wait_until(ended, "the rollback")

    def go_back_to(self, execution: str) -> None:
        """Roll production back, as a person does."""
        ask = {"pipelineName": self.name, "stageName": "Production", "targetPipelineExecutionId": execution}
        rollback = self._workshop.pipelines.rollback_stage(**ask)["pipelineExecutionId"]
        self._workshop.succeeded(self.name, rollback)

    def runs(self) -> str:
        """Return the version that production runs."""
        (described,) = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        return str({o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}["Version"])

    def change_sets(self) -> list[str]:
        """Return the change sets that are left."""
        return [
            summary["ChangeSetName"]
            for stack in (NETWORK, STACK)
            for summary in self._cloudformation.list_change_sets(StackName=stack)["Summaries"]
        ]

    def _check(self, project: str, name: str, what: str, *, order: int) -> Json:
        variables = [{"name": "WHAT", "value": what}, {"name": "PREPARED", "value": RELEASE}]
        told = {"EnvironmentVariables": json.dumps(variables)}
        return self._workshop.build(project, name=name, configuration=told, runOrder=order)


def _prepare(name: str, stack: str, role: str) -> Json:
    configuration = {
        "ActionMode": "CHANGE_SET_REPLACE",
        "StackName": stack,
        "ChangeSetName": RELEASE,
        "TemplatePath": f"Code::{name}.json",
        "RoleArn": role,
    }
    return action(f"Release-{name}", "Deploy", "CloudFormation", configuration, inputs=["Code"], runOrder=1)


def _execute(name: str, stack: str, *, order: int) -> Json:
    configuration = {"ActionMode": "CHANGE_SET_EXECUTE", "StackName": stack, "ChangeSetName": RELEASE}
    return action(f"Deploy-{name}", "Deploy", "CloudFormation", configuration, runOrder=order)


@pytest.fixture
def production(workshop: Workshop) -> Iterator[Production]:
    made = Production(workshop)
    yield made
    delete_stacks(workshop.client("cloudformation"), NETWORK, STACK)


_READINGS: dict[str, dict[str, Any]] = {
    "as documented": {},
    "the failed one's variables": {"rollback_variables": "current"},
    "conditions checked": {"rollback_checks_conditions": True},
}


def test_a_comparison_that_fails_takes_production_back_by_every_reading(
    workshop: Workshop, production: Production
) -> None:
    # Given a release that is in production
    good, ended = production.release("good")
    assert (ended, production.runs()) == ("Succeeded", "good")
    for number, (reading, switches) in enumerate(_READINGS.items()):
        with workshop.reading(**switches):
            # When the next one is deployed, and production does not run what staging ran
            bad, ended = production.release(f"compares badly {number}")
            # Then its stage fails
            assert ended == "Failed", reading
            assert workshop.actions(production.name, bad)["Compare"]["status"] == "Failed", reading
            # And production goes back to the release before, which the check before it takes it for
            rollback = production.rollback_of(bad)
        execution = workshop.execution(production.name, rollback["pipelineExecutionId"])
        assert rollback["status"] == "Succeeded", (reading, execution)
        assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good, reading
        assert production.runs() == "good", reading
    # And change sets do not pile up: the one that found nothing to change is left, as nobody can execute it
    assert production.change_sets() == [RELEASE]


def test_a_release_that_changed_nothing_does_not_undo_what_a_person_went_back_to(
    workshop: Workshop, production: Production
) -> None:
    # Given two good releases, of which a person took back the second
    first, _ = production.release("first")
    production.release("second")
    production.go_back_to(first)
    assert production.runs() == "first"
    # When a third one is refused before it changed anything
    refused, ended = production.release("not as approved")
    assert ended == "Failed"
    # Then the automatic rollback, which goes to the last success and not to that rollback, is refused too
    assert production.rollback_of(refused)["status"] == "Failed"
    assert production.runs() == "first"
    # And change sets do not pile up: each stack has that of the refused release
    assert production.change_sets() == [RELEASE, RELEASE]
