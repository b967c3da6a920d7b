"""`payments branch`: whose stacks there are, and how they go; each branch's apart from every other's."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from codepipeline_workbench import (
    Json,
    Workshop,
    approve,
    await_stacks,
    delete_stacks,
    stage,
)

from embedded_aws import instance
from environments import schema
from pipelines.cli.main import main
from pipelines.core import branch_names
from pipelines.definitions import configuration_file
from pipelines.definitions.branch_pipelines import VARIABLE
from pipelines.definitions.configuration_file import Push
from tests.waiting import wait_until

BRANCH = schema.load("branch")
Payments = Callable[..., Result]


class Stacks:
    """Branch stacks, small: their tags as the pipeline gives them, and a smoke workflow that can be run."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop, self._names = workshop, list[str]()
        self._cloudformation = workshop.client("cloudformation", BRANCH.account)
        self._role = workshop.role("smoke", "states.amazonaws.com", ["logs:*"], BRANCH.account)

    def add(self, branch: str, *, days: float, smoke: str | None = None) -> str:
        """Make the stack of a branch that was pushed to so many days ago; return its name."""
        push = Push(branch, "Ada", "0123456789abcdef", datetime.now(UTC) - timedelta(days=days))
        tags = configuration_file.tags(BRANCH, push)
        return self.add_named(branch_names.stack_name(branch), tags, smoke=smoke)

    def add_named(self, name: str, tags: dict[str, str], *, smoke: str | None = None) -> str:
        """Make a stack; `smoke` is how its smoke workflow ended."""
        definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": smoke or "Succeed"}}})
        machine = {"RoleArn": self._role, "DefinitionString": definition}
        body = {
            "Resources": {"Smoke": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}},
            "Outputs": {"SmokeWorkflowArn": {"Value": {"Ref": "Smoke"}}},
        }
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body), Tags=listed)
        self._names.append(name)
        await_stacks(self._cloudformation, "create", name)
        if smoke:
            self._run_smoke(name)
        return name

    def _run_smoke(self, name: str) -> None:
        (output,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        states = self._workshop.client("stepfunctions", BRANCH.account)
        run = states.start_execution(stateMachineArn=output["OutputValue"])["executionArn"]
        wait_until(
            lambda: states.describe_execution(executionArn=run)["status"] != "RUNNING", f"smoke of {name}"
        )

    def remove(self) -> None:
        """Delete them all."""
        delete_stacks(self._cloudformation, *self._names)


@pytest.fixture
def stacks(workshop: Workshop) -> Iterator[Stacks]:
    made = Stacks(workshop)
    yield made
    made.remove()


@pytest.fixture
def removal(workshop: Workshop, pipelines_stack: Callable[[str], None]) -> str:
    """A pipeline that asks before it would remove a branch, as ours does."""
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Approve", approve(configuration={"CustomData": "#{variables.branch}"})),
        variables=[{"name": VARIABLE, "description": "The branch"}],
    )
    pipelines_stack(name)
    return name


@pytest.fixture
def payments(embedded: instance.Instance) -> Payments:
    """Run `payments branch …` against the embedded AWS."""

    def run(*arguments: str, **variables: str) -> Result:
        environment = {"AWS_ENDPOINT_URL": embedded.endpoint, "COLUMNS": "300", **variables}
        return CliRunner().invoke(main, ("branch", *arguments), env=environment)

    return run


def _waiting(workshop: Workshop, pipeline: str) -> list[str]:
    """The branches whose removal is under way."""
    under_way = [one for one in workshop.executions(pipeline) if one["status"] == "InProgress"]
    found = [workshop.execution(pipeline, one["pipelineExecutionId"]) for one in under_way]
    return sorted(variable["resolvedValue"] for one in found for variable in one.get("variables", []))


def _said(result: Result) -> str:
    return " ".join(result.output.split())


def test_the_list_tells_age_owner_and_last_smoke_of_each_branch(stacks: Stacks, payments: Payments) -> None:
    # Given two branches side by side, and a stack that no branch made
    old = stacks.add("feature/old", days=9.5, smoke="Fail")
    fresh = stacks.add("feature/fresh", days=0, smoke="Succeed")
    silent = stacks.add("feature/silent", days=1)
    stacks.add_named("branch-of-a-tree", {"environment": "dev"})
    # When they are listed
    listed: list[Json] = json.loads(payments("list", "--json").output)
    # Then the one without a push for longest comes first, and each says whose it is and how it does
    ours = [one for one in listed if one["branch"].startswith("feature/")]
    assert [one["stack"] for one in ours] == [old, silent, fresh]
    assert {one["owner"] for one in ours} == {"Ada"}
    assert [one["last_smoke"].partition(" ")[0] for one in ours] == ["FAILED", "", "SUCCEEDED"]
    assert "branch-of-a-tree" not in [one["stack"] for one in listed]
    # And on a terminal too
    row = next(line for line in payments("list").output.splitlines() if old in line)
    for words in ("feature/old", "9 d", "Ada", "FAILED"):
        assert words in row


def test_a_branch_is_removed_by_a_button_that_asks(
    workshop: Workshop, stacks: Stacks, removal: str, payments: Payments
) -> None:
    # Given two branches side by side
    stacks.add("feature/one", days=0)
    stacks.add("feature/two", days=0)
    # When the removal of one is asked for
    proposed = payments("remove", "feature/one")
    # Then a person is asked, about that one
    assert proposed.exit_code == 0, proposed.output
    assert "payments pipeline approve remove-branch" in proposed.output
    assert _waiting(workshop, removal) == ["feature/one"]
    # And asking again does not ask twice
    again = payments("remove", "feature/one")
    assert (again.exit_code, "is under way" in _said(again)) == (1, True)
    assert _waiting(workshop, removal) == ["feature/one"]


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_asking_for_an_environment_s_name_only_ever_names_a_branch_s_stack(
    workshop: Workshop, removal: str, payments: Payments, name: str
) -> None:
    # Given that a branch may be called like an environment
    proposed = payments("remove", name)
    # Then what is proposed is the stack of that branch, never the environment's
    assert schema.load(name).default_stack not in proposed.output
    assert branch_names.stack_name(name) in proposed.output
    assert payments("remove", f"payments-{name}").exit_code == 0
    assert all(
        branch_names.is_branch_stack(branch_names.stack_name(one)) for one in _waiting(workshop, removal)
    )


def test_expired_branches_are_proposed_and_others_are_left_alone(
    workshop: Workshop, stacks: Stacks, removal: str, payments: Payments
) -> None:
    # Given branches of several ages, one of them with a name that no tag can hold
    stacks.add("feature/old", days=7.2)
    stacks.add("feature/older", days=30)
    stacks.add("feature/fresh", days=6.8)
    stacks.add("feature/été", days=30)
    # When the daily look is taken, twice
    looks = [payments("expire", EXPIRY_DAYS="7", REMOVE_BRANCH_PIPELINE=removal) for _ in range(2)]
    # Then the expired ones are proposed once
    assert [look.exit_code for look in looks] == [0, 0]
    assert _waiting(workshop, removal) == ["feature/old", "feature/older"]
    assert "is under way" in _said(looks[1])
    # And a person is told of the one that cannot be named
    assert "has expired, but its tag cannot hold its branch's name" in _said(looks[0])


def test_an_approver_is_told_whose_stack_would_go(stacks: Stacks, payments: Payments) -> None:
    name = stacks.add("feature/one", days=3.5, smoke="Succeed")
    said = payments("show", BRANCH="feature/one").output
    for words in (name, "feature/one", "3 days ago, by Ada", "SUCCEEDED"):
        assert words in said
    assert "nothing will be deleted" in payments("show", BRANCH="feature/nobody").output


def test_a_number_of_days_is_a_number(removal: str, payments: Payments) -> None:
    refused: Any = payments("expire", EXPIRY_DAYS="soon", REMOVE_BRANCH_PIPELINE=removal)
    assert (refused.exit_code, "EXPIRY_DAYS is 'soon', not a number of days" in _said(refused)) == (1, True)
