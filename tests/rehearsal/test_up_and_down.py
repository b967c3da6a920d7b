"""`payments up` and `payments down`, from the start of the embedded AWS to its end."""

import json
from pathlib import Path

import boto3
import psutil
import pytest
from click.testing import CliRunner

from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.core import repository
from tests.waiting import wait_until


def test_up_tells_the_endpoint_refuses_a_second_time_and_down_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a folder without an embedded AWS
    root, before = tmp_path / "embedded", _children()
    monkeypatch.setattr(local_aws, "ROOT", root)
    payments = CliRunner()
    # When it is started
    up = payments.invoke(main, ["up", "--json"])
    assert up.exit_code == 0, up.stderr
    try:
        # Then it answers at the endpoint that was told
        endpoint = json.loads(up.stdout)["endpoint"]
        session = boto3.Session("000000000000", "any", region_name="eu-central-1")
        sts = session.client("sts", endpoint_url=endpoint)
        assert sts.get_caller_identity()["Account"] == "000000000000"
        # And a second start is refused, politely, with the endpoint
        again = payments.invoke(main, ["up"])
        assert again.exit_code == 1
        assert f"runs already, at {endpoint}" in again.stderr
        # And a git repository of this machine can be registered with it, and nothing else
        add = ["repository", "add", "your-company/payments"]
        added = payments.invoke(main, [*add, str(repository.ROOT), "--json"])
        assert added.exit_code == 0, added.stderr
        assert json.loads(added.stdout)["repository"] == "your-company/payments"
        no_repository = payments.invoke(main, [*add, str(tmp_path)])
        assert (no_repository.exit_code, "is not a git repository" in no_repository.stderr) == (1, True)
    finally:
        down = payments.invoke(main, ["down"])
    # And nothing is left when it is stopped, nor of the console that ran beside it
    assert down.exit_code == 0, down.stderr
    assert not root.exists()
    wait_until(lambda: _children() <= before, "the console's end")


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}
