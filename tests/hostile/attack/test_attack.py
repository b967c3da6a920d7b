"""A hostile branch through the real branch pipeline while a release waits: it reaches nothing of it.

`make hostile` runs it; it takes minutes, as a promotion does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.hostile import threat_model
from tests.hostile.attack import harness
from tests.hostile.attempts import ATTEMPTS

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from tests.hostile.attack.harness import Outcome


@pytest.fixture(scope="module")
def outcome(embedded: Instance) -> Outcome:
    attacked = harness.attack(embedded)
    if os.environ.get("PUBLISH"):
        threat_model.keep(attacked.attempts)
        threat_model.PAGE.write_text(threat_model.page(), encoding="utf-8")
    return attacked


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
