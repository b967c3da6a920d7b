"""A byte changed in a release at any moment between Build and production, on a live pipeline, is found.

Each row names a place and a moment. A release stops there, a byte is changed (which file and which byte is
drawn: `SEED`), and the release goes on. It fails before anything of it runs in production, or it never read
that byte, and production runs what the source makes. What changes after the deployment takes it back.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.promotion import running_stack
from tests.hostile.attack.changed_bytes import ROWS, Row
from tests.hostile.attack.live import Moment, Pipeline, Place

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from pipelines.promotion.execution import Promotion

SEED: Final = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
_EACH: Final = int(os.environ.get("PLACES") or 1)
"""How many places are tried at each moment; a release has seven moments."""


def _drawn() -> list[Row]:
    draw = random.Random(SEED)  # noqa: S311 - no secret
    by_moment = [[row for row in ROWS if row.moment == moment] for moment in Moment]
    return [row for rows in by_moment for row in draw.sample(rows, min(_EACH, len(rows)))]


DRAWN: Final = _drawn()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a changed byte.

    Attributes:
        place: Where the release stood then.
        said: Why it failed, in the words of its builds.
        rollback: How the rollback of its failure ended; empty without one.
        moved: In what production differed from what it ran before.
        strange: Files of what was published that the source does not make.
    """

    place: Place
    said: str
    rollback: str
    moved: list[str]
    strange: list[str]


@pytest.fixture(scope="module")
def pipeline(fresh: Instance) -> Pipeline:
    made = Pipeline(fresh)
    assert made.place(made.genuine) == Place("ended", "Succeeded"), made.explained(made.genuine)
    return made


@pytest.fixture(scope="module")
def outcomes(pipeline: Pipeline) -> dict[str, Outcome]:
    """Every row tried, in as few releases as can be: one goes on, unless its stage was rolled back."""
    draw, done, left, word = random.Random(SEED), dict[str, Outcome](), list(DRAWN), 0  # noqa: S311 - no secret
    while left:
        word += 1
        release, over = pipeline.release(f"release {word}"), False
        for moment in Moment:
            here = [row for row in left if row.moment == moment]
            for row in sorted(here, key=lambda row: (not row.found, "Verify" not in row.found)):
                place = pipeline.reach(release, min(moment, Moment.VERIFIED))
                if place.moment > min(moment, Moment.VERIFIED):
                    break
                left.remove(row)
                done[row.name] = outcome = _try(pipeline, release, row, place, draw)
                over = bool(outcome.rollback) or outcome.place.how == "ended"
                if over or not row.found:
                    break
            if over:
                break
        else:
            pipeline.reach(release, Moment.DEPLOYED)
            assert pipeline.running() == pipeline.recorded(release)
    return done


def _try(pipeline: Pipeline, release: Promotion, row: Row, place: Place, draw: random.Random) -> Outcome:
    before = pipeline.running()
    if row.moment == Moment.DEPLOYED:
        pipeline.let_in(place, release)
        pipeline.await_deployment(release)
        undo = row.change(pipeline, release, draw)
        then = pipeline.stands(release)
    else:
        undo = row.change(pipeline, release, draw)
        then = pipeline.go_on(release, place)
        while then.how in {"held", "asked"} and row.found and then.moment < Moment.VERIFIED:
            then = pipeline.go_on(release, then)
    said = pipeline.logs_of_failures(release) if then.how == "failed" else ""
    taken_back = then.how == "failed" and then.stage in {"Staging", "Production"}
    rollback = pipeline.await_rollback(release) if taken_back else ""
    moved = running_stack.differences(before, pipeline.running())
    strange = [] if row.found or then.how == "failed" else pipeline.strange_files(release)
    undo()
    return Outcome(then, said, rollback, moved, strange)


@pytest.mark.parametrize("row", DRAWN, ids=lambda row: row.name)
def test_a_changed_byte_is_found_or_was_never_read(outcomes: dict[str, Outcome], row: Row) -> None:
    outcome = outcomes[row.name]
    if row.found:
        # Then the release fails where that is read next
        assert outcome.place.how == "failed", f"SEED={SEED}: {outcome}"
        assert outcome.place.stage in row.found, f"SEED={SEED}: {outcome}"
    else:
        # Or it goes on, since that byte is not read any more
        assert outcome.place.how != "failed", f"SEED={SEED}: {outcome.said}"
    # And nothing of it was published, and production runs what it ran before
    assert outcome.strange == []
    assert bool(outcome.moved) == row.stays, f"SEED={SEED}: {outcome.moved} {outcome.said}"


@pytest.mark.parametrize(
    "row", [row for row in DRAWN if row.moment == Moment.DEPLOYED], ids=lambda row: row.name
)
def test_production_goes_back_to_what_it_ran(outcomes: dict[str, Outcome], row: Row) -> None:
    outcome = outcomes[row.name]
    assert "Production does not run what staging ran" in outcome.said
    # Then its rollback brings back the release before, and fails itself where something else still runs
    assert outcome.rollback == ("Failed" if row.stays else "Succeeded")
