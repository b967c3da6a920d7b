"""`payments prove --acceptance`, whole: an empty account, two releases, a rollback, and empty again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from embedded_aws import instance
from environments import schema
from environments.groupings import PROMOTED
from pipelines.aws.accounts import Aws
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.deploy import kept_resources
from pipelines.doctor import lent_account
from pipelines.rehearsal import variants
from tests.proofs import small_builds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    """An empty embedded AWS of this checkout, and a checkout whose builds are small."""
    monkeypatch.setattr(local_aws, "ROOT", tmp_path / "embedded")
    stated = variants.files_in_one_account
    monkeypatch.setattr(
        variants,
        "files_in_one_account",
        lambda checkout, account: stated(checkout, account) | small_builds.files(),
    )
    yield instance.start(local_aws.ROOT, attached=True)
    instance.stop(local_aws.ROOT)


def test_an_account_is_bootstrapped_released_to_rolled_back_and_empty_again(local: Instance) -> None:
    # When somebody says yes to the run
    result = CliRunner().invoke(
        main, ["prove", "staging", "--acceptance", "--yes", "--json", "--endpoint-url", local.endpoint]
    )
    # Then every phase did what it is for
    assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}"
    report = json.loads(result.stdout)
    assert {phase["name"]: phase["ok"] for phase in report["phases"]} == dict.fromkeys(
        (
            *("bootstrap", "connections", "branch", "smoke", "release", "second release", "rollback"),
            "removal",
        ),
        True,
    )
    seen = {phase["name"]: phase["seen"] for phase in report["phases"]}
    assert "payments-network-prod" in seen["bootstrap"]
    assert "branch-feature-acceptance" in seen["branch"]
    assert "checks passed" in seen["smoke"]
    assert "runs the packages of the first release again" in seen["rollback"]
    # And nothing stays in the account, by what it lists itself
    aws = Aws(schema.load("staging"), local.endpoint, local.mongodb_uri)
    assert lent_account.stacks_of_ours(aws) == []
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.client("codepipeline").list_pipelines()["pipelines"] == []
    assert [
        key["KeyId"]
        for key in aws.client("kms").list_keys()["Keys"]
        if not kept_resources.gone(aws, "AWS::KMS::Key", key["KeyId"])
    ] == []
    # Nor in the accounts that the files of this checkout name
    others = [name for name in PROMOTED if name != "staging"]
    for name in others:
        assert lent_account.stacks_of_ours(Aws(schema.load(name), local.endpoint, local.mongodb_uri)) == []
