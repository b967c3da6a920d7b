"""A release waits while another, or a rollback, may still change production; it is never refused for that."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from codepipeline_workbench import Repository, Workshop, approve, commands, stage

from pipelines.aws.accounts import Aws
from pipelines.definitions import release_turns
from tests.waiting import wait_until

STAGES = ("Verify", "ApproveAgain", "Production")
BEHIND = list(STAGES[1:])
Turn = Callable[[str, str], str]


@pytest.fixture
def pipeline(workshop: Workshop, repository: Repository) -> str:
    """The stages between an approval and production's end; each waits for an answer."""
    return workshop.create(
        stage("Source", workshop.source(repository)), *(stage(name, approve()) for name in STAGES)
    )


@pytest.fixture
def turn(tools: Aws, workshop: Workshop) -> Turn:
    """The release pipeline's state machine, in a role that may do what its own may."""
    role = workshop.role("turns", "states.amazonaws.com", ["codepipeline:GetPipelineState"])
    definition = json.dumps(release_turns.definition()).replace("${Partition}", "aws")
    machine = tools.stepfunctions.create_state_machine(
        name=f"turns-{uuid.uuid4().hex[:8]}", definition=definition, roleArn=role
    )["stateMachineArn"]

    def begin(pipeline: str, execution: str) -> str:
        text = json.dumps({"pipeline": pipeline, "execution": execution, "stages": BEHIND})
        return tools.stepfunctions.start_execution(stateMachineArn=machine, input=text)["executionArn"]

    return begin


def _go(workshop: Workshop, pipeline: str, execution: str, name: str) -> None:
    """Let an execution out of a stage."""
    token = wait_until(lambda: _token(workshop, pipeline, execution, name), f"it waits in {name}")
    workshop.answer(pipeline, token, stage=name)


def _token(workshop: Workshop, pipeline: str, execution: str, name: str) -> str | None:
    state = workshop.stage(pipeline, name)
    if state.get("latestExecution", {}).get("pipelineExecutionId") != execution:
        return None
    token: str | None = state["actionStates"][0].get("latestExecution", {}).get("token")
    return token


def _waits(tools: Aws, waiting: str) -> None:
    def waits() -> bool:
        events = tools.stepfunctions.get_execution_history(executionArn=waiting)["events"]
        return any(event["type"] == "WaitStateEntered" for event in events)

    wait_until(waits, "it waits")
    assert tools.stepfunctions.describe_execution(executionArn=waiting)["status"] == "RUNNING"


def _ended(tools: Aws, waiting: str) -> dict[str, Any]:
    def look() -> Any:
        described = tools.stepfunctions.describe_execution(executionArn=waiting)
        return described if described["status"] != "RUNNING" else None

    ended = wait_until(look, "the wait ends", seconds=60)
    assert ended["status"] == "SUCCEEDED", ended
    output: dict[str, Any] = json.loads(ended["output"])
    return output


def test_a_release_that_is_alone_waits_for_nobody(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    alone = workshop.start(pipeline)
    wait_until(lambda: _token(workshop, pipeline, alone, "Verify"), "it is in Verify")
    assert _ended(tools, turn(pipeline, alone)) == {"looks": 1}


@pytest.mark.parametrize("where", BEHIND)
def test_a_release_waits_until_the_one_ahead_has_left_production(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn, where: str
) -> None:
    # Given a release in a stage that comes after, and another in Verify
    first, second = workshop.start(pipeline), workshop.start(pipeline)
    for name in STAGES[: STAGES.index(where)]:
        _go(workshop, pipeline, first, name)
    wait_until(lambda: _token(workshop, pipeline, second, "Verify"), "the second is in Verify")
    # When the second waits for its turn
    waiting = turn(pipeline, second)
    _waits(tools, waiting)
    # Then it has it once the first has left production, whatever became of it
    for name in STAGES[STAGES.index(where) :]:
        _go(workshop, pipeline, first, name)
    workshop.succeeded(pipeline, first)
    assert _ended(tools, waiting)["looks"] > 1


def test_a_release_waits_for_one_that_has_not_entered_production_yet(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    # Given a release that is held before production, and another behind it
    held = {"pipelineName": pipeline, "stageName": "Production", "transitionType": "Inbound"}
    workshop.pipelines.disable_stage_transition(**held, reason="freeze")
    first, second = workshop.start(pipeline), workshop.start(pipeline)
    _go(workshop, pipeline, first, "Verify")
    _go(workshop, pipeline, first, "ApproveAgain")
    wait_until(lambda: _token(workshop, pipeline, second, "Verify"), "the second is in Verify")
    # Then the one behind waits
    waiting = turn(pipeline, second)
    _waits(tools, waiting)
    workshop.pipelines.enable_stage_transition(**held)
    _go(workshop, pipeline, first, "Production")
    workshop.succeeded(pipeline, first)
    _ended(tools, waiting)


def test_after_a_failure_it_looks_twice_since_a_rollback_begins_a_moment_later(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    # Given a release that failed in production, where nothing is to be rolled back
    first, second = workshop.start(pipeline), workshop.start(pipeline)
    _go(workshop, pipeline, first, "Verify")
    _go(workshop, pipeline, first, "ApproveAgain")
    token = wait_until(lambda: _token(workshop, pipeline, first, "Production"), "it is in production")
    workshop.answer(pipeline, token, stage="Production", status="Rejected")
    workshop.finished(pipeline, first)
    wait_until(lambda: _token(workshop, pipeline, second, "Verify"), "the second is in Verify")
    # Then the next one looks a second time before it goes on
    assert _ended(tools, turn(pipeline, second)) == {"looks": 2}


def test_a_release_waits_for_a_rollback_of_production(
    workshop: Workshop, repository: Repository, tools: Aws, turn: Turn
) -> None:
    # Given a rollback that ends when a file appears, and a release in Verify
    marker = repository.folder / "go"
    hold = commands(f"until [ -e '{marker}' ]; do sleep 0.05; done", name="Deploy")
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Production", hold), stage("Verify", approve())
    )
    marker.touch()
    good, release = workshop.start(name), workshop.start(name)
    _go(workshop, name, good, "Verify")
    wait_until(lambda: _token(workshop, name, release, "Verify"), "the release is in Verify")
    marker.unlink()
    ask = {"pipelineName": name, "stageName": "Production", "targetPipelineExecutionId": good}
    rollback = workshop.pipelines.rollback_stage(**ask)["pipelineExecutionId"]
    # Then the release waits until it has ended
    waiting = turn(name, release)
    _waits(tools, waiting)
    marker.touch()
    workshop.succeeded(name, rollback)
    _ended(tools, waiting)


def test_the_longest_wait_fits_into_the_history_of_an_execution() -> None:
    # Given the events of one look: a task's five, a choice's two, a wait's two
    quick, slow = release_turns.SECONDS_BETWEEN
    looks = release_turns.LONGEST_SECONDS / slow + 40
    # Then the longest wait stays below the 25,000 that a history holds, and below the action's seven days
    assert looks * 9 < 25_000
    assert quick < slow
    assert release_turns.LONGEST_SECONDS < 7 * 24 * 3600
