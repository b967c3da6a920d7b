"""`payments prove`, whole: every experiment on the embedded AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from embedded_aws import instance
from pipelines.cli.main import main
from pipelines.doctor.findings import State
from pipelines.doctor.proofs import PROOFS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Instance]:
    """An embedded AWS that nobody used, where a minute takes a second."""
    root = tmp_path / "embedded"
    started = instance.start(root, attached=True)
    instance.set_minute(root, 1)
    yield started
    instance.stop(root)


def test_each_experiment_comes_out_as_the_register_says_and_leaves_nothing(quick: Instance) -> None:
    result = CliRunner().invoke(
        main, ["prove", "staging", "--yes", "--json", "--endpoint-url", quick.endpoint]
    )
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    states = {finding["check"]: (finding["state"], finding["says"]) for finding in report["findings"]}
    for proof in PROOFS:
        assert states[proof.assumption][0] == (State.UNKNOWN if proof.undecided else State.OK), states
    assert report["left_behind"] == []
