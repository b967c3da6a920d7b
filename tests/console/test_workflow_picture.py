"""The picture of an execution: every state once, and the path that it took."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from pipelines.aws.executions import Moment
from pipelines.console import workflow_picture
from templates.definitions import payment_workflow, smoke_workflow

_BEGAN = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
_DEFINITION = payment_workflow.definition()
_FIRST = _DEFINITION["StartAt"]
_NAMESPACE = "{http://www.w3.org/2000/svg}"


def moments(*happened: tuple[str, ...]) -> list[Moment]:
    """Moments a second apart: what, state, error."""
    return [
        Moment(_BEGAN + timedelta(seconds=second), what, state, *rest)  # type: ignore[arg-type]
        for second, (what, state, *rest) in enumerate(happened)
    ]


def states(svg: str) -> dict[str, str]:
    """The class of each state's box, by the state's name."""
    picture = ET.fromstring(svg)  # noqa: S314 - our own
    groups = [group for group in picture.iter("g") if group.get("class", "").startswith("state")]
    return {
        (group.findtext("title") or "").partition(":")[0]: group.get("class", "").removeprefix("state ")
        for group in groups
    }


@pytest.mark.parametrize("definition", [_DEFINITION, smoke_workflow.definition()])
def test_every_state_has_a_place_of_its_own(definition: dict[str, object]) -> None:
    places = workflow_picture._places(definition)
    assert set(places) == set(definition["States"])  # type: ignore[call-overload]
    for (x1, y1), (x2, y2) in combinations(places.values(), 2):
        assert abs(x1 - x2) >= 200 or abs(y1 - y2) >= 60


def test_a_path_forward_is_passed_and_the_rest_untouched() -> None:
    # Given an order that is paid and delivered
    way = workflow_picture.forward_path(_DEFINITION)
    happened = [step for name in way[:-1] for step in (("entered", name), ("left", name))]
    seen = workflow_picture.visits(moments(*happened, ("entered", way[-1]), ("ended", "SUCCEEDED")))
    # When it is drawn
    drawn = states(workflow_picture.svg(_DEFINITION, seen))
    # Then
    assert {name for name, state in drawn.items() if state == "passed"} == set(way)
    assert {state for name, state in drawn.items() if name not in way} == {"untouched"}
    assert seen[_FIRST].seconds == 1.0


def test_a_failed_step_is_told_with_its_attempts_and_its_error() -> None:
    seen = workflow_picture.visits(
        moments(
            ("entered", _FIRST),
            ("attempt failed", _FIRST, "Throttled"),
            ("attempt failed", _FIRST, "OutOfStock"),
            ("left", _FIRST),
            ("entered", "Handle failure"),
        )
    )
    svg = workflow_picture.svg(_DEFINITION, seen)
    assert states(svg)[_FIRST] == "failed"
    assert states(svg)["Handle failure"] == "current"
    assert f"{_FIRST}: failed, 3.00 s, 2 attempts failed (OutOfStock)" in svg
    assert "Handle failure: is now" in workflow_picture.described(_DEFINITION, seen)


def test_a_name_that_is_markup_stays_text() -> None:
    definition = {"StartAt": "<script>", "States": {"<script>": {"Type": "Succeed"}}}
    assert "<script>" not in workflow_picture.svg(definition, {})


def test_the_way_back_is_drawn_in_its_order_whatever_order_aws_answers_in() -> None:
    shuffled = {**_DEFINITION, "States": dict(sorted(_DEFINITION["States"].items()))}
    assert workflow_picture._places(shuffled) == workflow_picture._places(_DEFINITION)
