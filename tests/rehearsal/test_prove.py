"""`payments prove`: each experiment holds on the embedded AWS, and none leaves anything behind."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from environments import schema
from pipelines.assumptions import register
from pipelines.aws.accounts import Aws
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.doctor import lent_account, proofs
from pipelines.doctor.findings import Diagnosis, State
from pipelines.doctor.proofs import PROOFS, Proof

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
    assert {proof.assumption for proof in PROOFS} <= names
    assert len({proof.assumption for proof in PROOFS}) == len(PROOFS)


def test_a_lent_account_proves_what_it_can_and_is_empty_afterwards(
    lent: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "connect", lambda *_: lent)
    # When somebody says yes to what it costs
    result = CliRunner().invoke(main, ["prove", "staging", "--json"], input="y\n")
    # Then the cost was said first, every experiment came out as the register says, and nothing stays
    assert result.exit_code == 0, result.stderr
    assert "16 minutes and 0.10 USD at most" in result.stderr
    told = json.loads(result.stdout)
    states = {finding["check"]: finding["state"] for finding in told["findings"]}
    assert states == {proof.assumption: State.OK if proof.emulated else State.UNKNOWN for proof in PROOFS}
    assert told["left_behind"] == lent_account.left_behind(lent) == []


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
