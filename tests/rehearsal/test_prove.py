"""`payments prove`: what it says before, what comes out by each reading of AWS, and that nothing stays."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from embedded_aws import instance
from embedded_aws.instance import Readings
from environments import schema
from pipelines.assumptions import register
from pipelines.aws.accounts import Aws
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.doctor import lent_account, proofs
from pipelines.doctor.experiments import roles, stacks
from pipelines.doctor.findings import Diagnosis, State, failed
from pipelines.doctor.proofs import PROOFS, SETTLED_BY_ACCEPTANCE, Proof

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from pipelines.doctor.lent_account import LentAccount


@pytest.fixture
def lent(embedded: Instance) -> Aws:
    """An account that nobody used."""
    account = {"account": f"{uuid.uuid4().int % 10**12:012}"}
    return Aws(schema.load("staging").model_copy(update=account), embedded.endpoint, embedded.mongodb_uri)


def test_each_proves_an_entry_of_the_register() -> None:
    names = {entry.name for _, entry in register.weakest_first()}
    settled = [*(proof.assumption for proof in PROOFS), *SETTLED_BY_ACCEPTANCE]
    assert set(settled) <= names
    assert len(set(settled)) == len(settled)


def test_what_it_takes_and_costs_is_said_before_anything_is_made(
    lent: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "connect", lambda *_: lent)
    monkeypatch.setattr(proofs, "prove", lambda *_: pytest.fail("it was made"))
    # When somebody says no to what it costs
    result = CliRunner().invoke(main, ["prove", "staging"], input="n\n")
    # Then the sum of all experiments was said, and none was made
    minutes = sum(proof.minutes for proof in PROOFS)
    assert result.exit_code == 1
    assert f"{len(PROOFS)} experiments in account {lent.environment.account}" in result.stderr
    assert f"{minutes} minutes and {proofs.DOLLARS:.2f} USD at most" in " ".join(result.stderr.split())
    assert 60 <= minutes <= 90  # about an hour


def test_a_report_says_what_holds_what_does_not_and_what_is_not_known(
    lent: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "connect", lambda *_: lent)
    monkeypatch.setattr(
        proofs,
        "PROOFS",
        (
            Proof("names-begin-with-the-stack", 2, stacks.names),
            Proof("boundary-size", 1, roles.policy_size, "has no such limit"),
            Proof("imported-exports-are-fixed", 3, lambda _: failed("it was taken", "Read the register.")),
        ),
    )
    result = CliRunner().invoke(main, ["prove", "staging", "--json", "--yes"])
    assert result.exit_code == 1
    assert "1 of 3 assumptions do not hold" in result.stderr
    told = json.loads(result.stdout)
    assert [finding["state"] for finding in told["findings"]] == [State.OK, State.UNKNOWN, State.FAILED]
    assert told["left_behind"] == []


READINGS = {
    "rollback-uses-the-earlier-execution": Readings(rollback_variables="current"),
    "a-rollback-checks-no-conditions": Readings(rollback_checks_conditions=True),
    "alarm-rule-finds-metric-alarms": Readings(alarm_rule_sees_composites=True),
}


@pytest.mark.parametrize("assumption", READINGS)
def test_an_assumption_is_refuted_where_aws_is_read_the_other_way(
    lent: Aws, embedded: Instance, assumption: str
) -> None:
    (proof,) = [proof for proof in PROOFS if proof.assumption == assumption]
    # Given an AWS as its pages suggest, the assumption holds
    assert proofs.prove(lent, proof).state is State.OK
    # When it is otherwise
    instance.choose_readings(embedded.root, READINGS[assumption])
    try:
        refuted = proofs.prove(lent, proof)
    finally:
        instance.choose_readings(embedded.root, Readings())
    # Then the same experiment says so
    assert refuted.state is State.FAILED, refuted
    assert lent_account.left_behind(lent) == []


def test_every_reading_that_can_be_chosen_is_settled_by_an_experiment() -> None:
    chosen = {name for reading in READINGS.values() for name in asdict(reading)}
    differing = {
        name
        for reading in READINGS.values()
        for name, value in asdict(reading).items()
        if value != asdict(Readings())[name]
    }
    assert differing == chosen


def test_an_experiment_that_breaks_off_leaves_nothing(lent: Aws) -> None:
    def breaks(account: LentAccount) -> Diagnosis:
        account.stack({"Group": {"Type": "AWS::Logs::LogGroup"}})
        raise RuntimeError("the network is gone")

    with pytest.raises(RuntimeError, match="gone"):
        proofs.prove(lent, Proof("names-begin-with-the-stack", 1, breaks))
    assert lent_account.left_behind(lent) == []


def test_an_account_with_stacks_of_ours_is_not_lent(lent: Aws) -> None:
    lent.cloudformation.create_stack(
        StackName="payments-prod", TemplateBody=lent_account.template({"G": {"Type": "AWS::Logs::LogGroup"}})
    )
    with pytest.raises(Refused, match="has stacks of ours: payments-prod"):
        lent_account.must_be_lent(lent)
