"""A hostile branch through the real branch pipeline while a release waits: it reaches nothing of it.

Once with an account for each environment, and once with a single account for all and for the pipelines.
`make hostile` runs it; it takes minutes, as a promotion does.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded_aws import instance
from tests.hostile import threat_model
from tests.hostile.attack import harness, one_account
from tests.hostile.attempts import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.attack.harness import Outcome


@pytest.fixture(scope="module", params=threat_model.MODES)
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    """What came of the attack, on an embedded AWS of its own."""
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    with ExitStack() as stack:
        files = stack.enter_context(one_account.loaded(root)) if request.param == threat_model.ONE else {}
        stack.callback(instance.stop, root)
        attacked = harness.attack(instance.start(root, attached=True), files)
        if os.environ.get("PUBLISH"):
            threat_model.keep(request.param, attacked.attempts)
            threat_model.ROWS.write_text(threat_model.text(), encoding="utf-8")
        yield attacked


@pytest.mark.parametrize("build", harness.LOGS)
def test_every_attempt_of_every_build_was_refused(outcome: Outcome, build: str) -> None:
    answers = {one["name"]: one for one in outcome.attempts if one["build"] == build}
    assert set(answers) == {attempt.name for attempt in ATTEMPTS}
    assert {name: one for name, one in answers.items() if one["outcome"] != "refused"} == {}


def test_nothing_of_the_waiting_release_changed(outcome: Outcome) -> None:
    for part, before in outcome.before.items():
        assert outcome.after[part] == before, part


def test_no_cache_of_a_release_was_poisoned(outcome: Outcome) -> None:
    assert outcome.poisoned == []


def test_the_hostile_branch_went_all_its_way(outcome: Outcome) -> None:
    # Otherwise the attempts would have been refused by a pipeline that does not run
    assert outcome.hostile.status == "Succeeded"


def test_a_branch_that_calls_its_stack_productions_is_not_deployed(outcome: Outcome) -> None:
    assert outcome.misnamed.status == "Failed"
    (failed,) = (step for step in outcome.misnamed.steps if step.status == "Failed")
    assert failed.stage == "Deploy"


def test_the_release_went_to_production_as_staging_ran_it(outcome: Outcome) -> None:
    assert outcome.release.status == "Succeeded"
    assert outcome.digests["staging"]
    assert outcome.digests["prod"] == outcome.digests["staging"]
