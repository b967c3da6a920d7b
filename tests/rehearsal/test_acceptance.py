"""An acceptance run, in part: what it says first, where it takes place, and that failure leaves nothing."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from environments import schema
from environments import tools as tools_file
from pipelines.aws.accounts import Aws
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.doctor import lent_account
from pipelines.promotion.control import PendingApproval
from pipelines.rehearsal import acceptance, acceptance_account, acceptance_phases, rehearsal
from pipelines.rehearsal.acceptance import Acceptance, Phase, PhaseResult

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.instance import Instance

GROUP = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    },
}


@pytest.fixture
def lent(embedded: Instance) -> Aws:
    """An account that nobody used."""
    account = {"account": f"{uuid.uuid4().int % 10**12:012}"}
    return Aws(schema.load("staging").model_copy(update=account), embedded.endpoint, embedded.mongodb_uri)


class Nowhere:
    """A repository that is not pushed to."""

    def commit(self, branch: str, message: str, files: dict[str, str]) -> str:
        raise AssertionError(f"{message} on {branch}: {sorted(files)}")


@pytest.fixture
def run(lent: Aws) -> Acceptance:
    grouped = acceptance_account._grouped(lent, tools_file.load(), Nowhere(), lambda _: True)
    assert {target.environment.account for target in grouped.targets.values()} == {lent.environment.account}
    return grouped


def deploys(stack: str) -> Phase:
    """A phase that makes a stack which keeps something."""

    def deploy(run: Acceptance) -> str:
        body = lent_account.template({"Kept": GROUP})
        run.aws.cloudformation.create_stack(StackName=stack, TemplateBody=body)
        run.aws.cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1}
        )
        return "it is there"

    return Phase("deploys", "make a stack", 1, deploy)


def fails(error: BaseException) -> Phase:
    """A phase that ends in an error."""

    def fail(_: Acceptance) -> str:
        raise error

    return Phase("fails", "fail", 1, fail)


NEVER = Phase("never", "is not reached", 1, lambda _: pytest.fail("it was reached"))


def ends(results: list[PhaseResult]) -> dict[str, bool | None]:
    return {result.name: result.ok for result in results}


@pytest.mark.parametrize(
    "error",
    [Refused("no", "never"), RuntimeError("the network is gone"), KeyboardInterrupt()],
    ids=["refused", "broken", "interrupted"],
)
def test_whatever_stops_a_phase_all_is_removed_and_the_others_are_not_reached(
    run: Acceptance, error: BaseException
) -> None:
    # Given a run that fails after something was made
    phases = [deploys("payments-network-prod"), fails(error), NEVER]
    results = acceptance.run(run, phases, acceptance_phases.LAST)
    # Then the removal came all the same
    assert ends(results) == {"deploys": True, "fails": False, "never": None, "removal": True}, results
    assert lent_account.stacks_of_ours(run.aws) == []
    assert run.aws.client("logs").describe_log_groups()["logGroups"] == []


def test_what_cannot_be_removed_is_named(run: Acceptance) -> None:
    # Given a stack that no environment knows
    results = acceptance.run(run, [deploys("payments-forgotten")], acceptance_phases.LAST)
    assert ends(results) == {"deploys": True, "removal": False}
    assert "stack payments-forgotten stays" in results[-1].seen


@pytest.mark.parametrize("yes", [True, False])
def test_an_approval_is_answered_as_the_operator_says(run: Acceptance, yes: bool) -> None:
    run.approves = lambda question: yes and question.execution == "one"
    question = PendingApproval("Approve", "Approve", "token", "one", "what changes", "https://evidence")
    answer, summary = run._decide(question)
    assert answer is yes
    assert (summary == acceptance.APPROVED) is yes


@pytest.fixture
def command(lent: Aws, embedded: Instance, monkeypatch: pytest.MonkeyPatch, run: Acceptance) -> list[str]:
    """The command, on a lent account of an embedded AWS whose checkout is not copied."""
    monkeypatch.setattr(local_aws, "connect", lambda *_: lent)
    monkeypatch.setattr(local_aws, "ROOT", embedded.root)
    monkeypatch.setattr(acceptance_account, "on_this_machine", lambda *_: run)
    return ["prove", "staging", "--acceptance"]


def test_phases_minutes_and_cost_are_said_before_anything_is_made(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "run", lambda *_: pytest.fail("it began"))
    result = CliRunner().invoke(main, command, input="n\n")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    for phase in (*acceptance_phases.PHASES, acceptance_phases.LAST):
        assert f"{phase.minutes} min {phase.name}: {phase.does}" in said
    assert f"About {acceptance_phases.MINUTES} minutes" in said
    assert f"{acceptance_phases.DOLLARS} USD at most" in said


def test_an_account_with_stacks_of_ours_is_refused_before_anything_is_said(
    command: list[str], lent: Aws
) -> None:
    body = lent_account.template({"Role": ROLE})
    lent.cloudformation.create_stack(
        StackName="branch-of-somebody", TemplateBody=body, Capabilities=["CAPABILITY_IAM"]
    )
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "has stacks of ours: branch-of-somebody" in result.stderr
    assert "An acceptance run" not in result.stderr


def test_a_report_for_a_machine_has_each_phase_and_what_failed(
    command: list[str], lent: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = (deploys("payments-network-prod"), fails(Refused("it did not build")), NEVER)
    monkeypatch.setattr(acceptance_phases, "PHASES", phases)
    result = CliRunner().invoke(main, [*command, "--yes", "--json"])
    assert result.exit_code == 1
    assert "fails failed: it did not build" in " ".join(result.stderr.split())
    assert "All of it was removed again" in " ".join(result.stderr.split())
    told = json.loads(result.stdout)
    assert told["account"] == lent.environment.account
    assert [(phase["name"], phase["ok"], phase["seen"]) for phase in told["phases"][:3]] == [
        ("deploys", True, "it is there"),
        ("fails", False, "it did not build"),
        ("never", None, "not reached"),
    ]
    assert told["phases"][3]["ok"] is True
    assert told["phases"][0]["seconds"] > 0


def test_on_aws_files_that_name_other_accounts_are_refused(lent: Aws) -> None:
    with pytest.raises(Refused, match=f"puts everything in {lent.environment.account}.*tools in"):
        acceptance_account.must_be_the_only_one(lent)


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments],  # noqa: S607 - this machine's git
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


def test_commits_reach_the_repository_and_leave_the_checkout_as_it_is(tmp_path: Path) -> None:
    # Given a checkout whose branch is where it is pushed to
    origin, checkout = tmp_path / "origin", tmp_path / "checkout"
    rehearsal.scratch_repository(checkout, "main")
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), str(origin))
    git(checkout, "remote", "add", "origin", str(origin))
    head = git(checkout, "rev-parse", "HEAD")
    repository = acceptance_account.pushed_repository(checkout, tmp_path / "clone", "main")
    # When a branch and the release branch are committed to
    pushed = repository.commit("feature/acceptance", "A branch", {"README.md": "one"})
    released = repository.commit("main", "A release", {"README.md": "two"})
    # Then both are there, the release on top of what was checked out
    assert git(origin, "rev-parse", "feature/acceptance") == pushed
    assert git(origin, "rev-parse", "main") == released
    assert git(origin, "rev-parse", "main^") == head
    assert git(checkout, "rev-parse", "HEAD") == head
    # And from now on the checkout is not what would be released
    with pytest.raises(Refused, match="is not main at"):
        acceptance_account.pushed_repository(checkout, tmp_path / "again", "main")
