"""Three releases on a live pipeline, answered in every order: none fails, none is rolled back for nothing."""

import json
import uuid
from itertools import permutations
from pathlib import Path

import pytest
from codepipeline_workbench import (
    Json,
    Workshop,
    action,
    approve,
    commands,
    condition,
    rule,
    stage,
)

from embedded_aws import instance
from pipelines.aws import accounts
from pipelines.definitions import release_turns
from pipelines.promotion import control
from tests.waiting import wait_until

PRODUCTION_STAGES = ("Verify", "ApproveAgain", "Production")
_EXECUTION = "#{codepipeline.PipelineExecutionId}"


class Releases:
    """A pipeline with the release pipeline's stages after staging; production is a file that says what runs.

    What a review saw is kept by its execution. Verify and the last look before a deployment compare with it.
    """

    def __init__(self, workshop: Workshop, embedded: instance.Instance) -> None:
        self._workshop = workshop
        repository = workshop.repository(version="1")
        self.folder = repository.folder.parent / f"{repository.folder.name}-production"
        self.folder.mkdir()
        self._production = self.folder / "runs"
        self._production.write_text("0")
        role = workshop.role("turns", "states.amazonaws.com", ["codepipeline:GetPipelineState"])
        self._machine = accounts.connect_tools(embedded.endpoint).stepfunctions.create_state_machine(
            name=f"turns-{uuid.uuid4().hex[:8]}",
            definition=json.dumps(release_turns.definition()).replace("${Partition}", "aws"),
            roleArn=role,
        )["stateMachineArn"]
        seen, runs = f"'{self.folder}'/seen-$EXECUTION", f"'{self._production}'"
        review = f"cp {runs} {seen}"
        look = f"if cmp -s {runs} {seen}; then export MOVED=no; else export MOVED=yes; fi"
        deploy = f'cmp {runs} {seen} && printf ,%s "$EXECUTION" >> {runs}'
        moved = rule("VariableCheck", Variable="#{Look.MOVED}", Operator="EQ", Value="yes")
        self.name = workshop.create(
            stage("Source", workshop.source(repository)),
            stage("Approve", _run("Review", review, 1), approve(runOrder=2)),
            stage(
                "Verify",
                self._turn(_behind("Verify"), 1),
                _run("Look", look, 2, outputVariables=["MOVED"], namespace="Look"),
            ),
            stage(
                "ApproveAgain",
                _run("Review", review, 1),
                approve(runOrder=2),
                self._turn(_behind("ApproveAgain"), 3),
                _run("LookAgain", f"cmp {runs} {seen}", 4),
                beforeEntry=condition("SKIP", moved),
            ),
            stage("Production", _run("Deploy", deploy, 1), onFailure={"result": "ROLLBACK"}),
        )

    def _turn(self, stages: list[str], order: int) -> Json:
        # A pipeline's own name is no variable; its first build tells it to the real one.
        text = json.dumps({"pipeline": "NAME", "execution": _EXECUTION, "stages": stages})
        settings = {"StateMachineArn": self._machine, "InputType": "Literal", "Input": text}
        return action("Turn", "Invoke", "StepFunctions", settings, runOrder=order)

    def know_its_name(self) -> None:
        """Put the pipeline's name into what waits for a turn."""
        declared = self._workshop.pipelines.get_pipeline(name=self.name)["pipeline"]
        named = json.loads(json.dumps(declared).replace("NAME", self.name))
        self._workshop.pipelines.update_pipeline(pipeline=named)

    def runs(self) -> list[str]:
        """Return the executions that production was changed by, in their order."""
        return self._production.read_text().split(",")[1:]

    def change_by_hand(self) -> None:
        """Change production past every release, as a rollback or a person does."""
        with self._production.open("a") as runs:
            runs.write(",by hand")

    def pending(self) -> list[tuple[str, str, str]]:
        """Return the questions that wait: execution, stage and token."""
        details = self._workshop.pipelines.list_action_executions(pipelineName=self.name)
        return [
            (detail["pipelineExecutionId"], detail["stageName"], token)
            for detail in details["actionExecutionDetails"]
            if detail["actionName"] == "Approve" and detail["status"] == "InProgress"
            for token in [detail["output"]["executionResult"].get("externalExecutionId")]
            if token
        ]


def _behind(name: str) -> list[str]:
    """Return the stages that come after one, for which a release waits there."""
    return list(PRODUCTION_STAGES[PRODUCTION_STAGES.index(name) + 1 :])


def _run(name: str, line: str, order: int, **more: object) -> Json:
    run = commands(line, name=name, runOrder=order, **more)
    run["environmentVariables"] = [{"name": "EXECUTION", "value": _EXECUTION}]
    return run


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_three_releases_end_right_in_every_order_of_answers(
    workshop: Workshop, embedded: instance.Instance, order: tuple[int, ...]
) -> None:
    # Given three releases of which each was begun before any was approved
    releases = Releases(workshop, embedded)
    releases.know_its_name()
    started = [workshop.start(releases.name) for _ in order]
    asked: list[tuple[str, str]] = []

    def done() -> bool:
        # When whoever waits is answered, those first that come first in this order
        waiting = sorted(releases.pending(), key=lambda question: order[started.index(question[0])])
        for execution, where, token in waiting[:1]:
            asked.append((execution, where))
            workshop.answer(releases.name, token, stage=where)
        return all(workshop.execution(releases.name, one)["status"] != "InProgress" for one in started)

    wait_until(done, lambda: [workshop.execution(releases.name, one) for one in started], seconds=120)
    # Then each is in production, in the order of the queue, and nothing failed or was rolled back
    assert [run["status"] for run in workshop.executions(releases.name)] == ["Succeeded"] * len(started)
    assert releases.runs() == started
    # And each was asked about once, and again only where production had moved since
    assert [execution for execution, where in asked if where == "Approve"] == started
    again = [execution for execution, where in asked if where == "ApproveAgain"]
    assert started[0] not in again
    assert len(again) == len(set(again))


def test_a_release_asks_again_as_often_as_production_moves(
    workshop: Workshop, embedded: instance.Instance
) -> None:
    # Given a release that was approved, and production that somebody changes before Verify and whenever it
    # is asked about again
    releases = Releases(workshop, embedded)
    releases.know_its_name()
    tools = accounts.connect_tools(embedded.endpoint)
    execution = workshop.start(releases.name)
    asked = []
    for times_moved in range(4):
        ((_, where, token),) = wait_until(releases.pending, "the question")
        asked.append(where)
        if times_moved < 3:
            releases.change_by_hand()
        workshop.answer(releases.name, token, stage=where)
        if where == "Approve":
            continue
        if times_moved == 3:
            break
        # Then what was approved is refused where production moved meanwhile, which changes nothing of it
        workshop.finished(releases.name, execution)
        assert workshop.actions(releases.name, execution)["LookAgain"]["status"] == "Failed"
        assert releases.runs() == ["by hand"] * (times_moved + 1)
        # When it is asked once more, as the refusal says
        assert control.retry(tools, releases.name, whole=True) == ("ApproveAgain", execution)
    # Then the answer that nothing moved after leads to production
    assert workshop.finished(releases.name, execution)["status"] == "Succeeded"
    assert asked == ["Approve", "ApproveAgain", "ApproveAgain", "ApproveAgain"]
    assert releases.runs() == ["by hand"] * 3 + [execution]
    assert len(workshop.executions(releases.name)) == 1


def test_without_an_answer_nothing_changes(workshop: Workshop, embedded: instance.Instance) -> None:
    releases = Releases(workshop, embedded)
    releases.know_its_name()
    workshop.start(releases.name)
    wait_until(releases.pending, "the question")
    assert releases.runs() == []
    assert Path(releases.folder, "runs").read_text() == "0"
