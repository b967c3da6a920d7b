"""The picture of an execution: every state once, and the path that it took."""

from __future__ import annotations

import re
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


def test_a_state_that_is_entered_again_counts_both_visits_and_tells_the_last() -> None:
    # Given a step that failed, was entered once more, and passed
    seen = workflow_picture.visits(
        moments(
            ("entered", _FIRST),
            ("attempt failed", _FIRST, "Throttled"),
            ("left", _FIRST),
            ("entered", _FIRST),
            ("left", _FIRST),
        )
    )
    # Then
    assert seen == {_FIRST: workflow_picture.Visit(2, 0, "passed", 3.0, "")}


@pytest.mark.parametrize(("ended", "state"), [("SUCCEEDED", "passed"), ("ABORTED", "failed")])
def test_an_execution_s_end_is_that_of_the_state_that_it_was_in(ended: str, state: str) -> None:
    seen = workflow_picture.visits(moments(("entered", _FIRST), ("ended", ended, "")))
    assert seen[_FIRST].state == state
    # And of none where it ended between two
    left = moments(("entered", _FIRST), ("left", _FIRST), ("ended", "ABORTED"))
    assert workflow_picture.visits(left)[_FIRST].state == "passed"


def _drawn(seen: dict[str, workflow_picture.Visit]) -> tuple[ET.Element, dict[str, tuple[float, float]]]:
    """The picture, and where each state's box begins."""
    return ET.fromstring(workflow_picture.svg(_DEFINITION, seen)), dict(  # noqa: S314 - our own
        workflow_picture._places(_DEFINITION)
    )


def _ends(path: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow begins and where it ends."""
    if vertical := re.fullmatch(r"M([\d.]+) ([\d.]+) V([\d.]+)", path):
        x, begin, end = map(float, vertical.groups())
        return (x, begin), (x, end)
    numbers = [float(number) for number in re.findall(r"[\d.]+", path)]
    return (numbers[0], numbers[1]), (numbers[-2], numbers[-1])


def _sides(place: tuple[float, float], gap: float = 0) -> set[tuple[float, float]]:
    """The middles of a box's sides, or what is so far before them."""
    (x, y), (width, height) = place, (190, 44)
    across = {(x - gap, y + height / 2), (x + width + gap, y + height / 2)}
    return across | {(x + width / 2, y - gap), (x + width / 2, y + height + gap)}


def test_each_way_is_one_arrow_from_one_box_s_side_to_just_before_another_s() -> None:
    # Given the ways from state to state, as the definition has them
    ways = {
        (name, target)
        for name, state in _DEFINITION["States"].items()
        for target in (
            *([state["Next"]] if "Next" in state else []),
            *([state["Default"]] if "Default" in state else []),
            *(way["Next"] for way in (*state.get("Choices", []), *state.get("Catch", []))),
        )
    }
    picture, places = _drawn({})
    arrows = [_ends(path.get("d", "")) for path in picture.findall("path")]
    # Then there is an arrow for each, none twice, and each touches what it joins
    assert len(arrows) == len(ways)
    for start, end in ways:
        fits = [one for one in arrows if one[0] in _sides(places[start]) and one[1] in _sides(places[end], 2)]
        assert len(fits) == 1, f"{start} to {end}"


def test_a_way_past_other_states_of_its_column_runs_beside_them_and_within_the_picture() -> None:
    picture, _ = _drawn({})
    width = float(picture.get("width", 0))
    bent = [path.get("d", "") for path in picture.findall("path")]
    columns = [re.findall(r"[\d.]+", path) for path in bent if "C" in path]
    beside = [(float(n[0]), float(n[2])) for n in columns if abs(float(n[0]) - float(n[-2])) <= 2]
    assert beside
    assert all(side < bend < width for side, bend in beside)


def test_only_the_ways_that_were_taken_are_marked_as_taken() -> None:
    # Given an order that failed at its first step, after which its failure was handled
    happened = (
        ("entered", _FIRST),
        ("attempt failed", _FIRST, "OutOfStock"),
        ("left", _FIRST),
        ("entered", "Handle failure"),
    )
    picture, places = _drawn(workflow_picture.visits(moments(*happened)))
    taken = [path for path in picture.findall("path") if "taken" in path.get("class", "")]
    # Then the one way between them is, in its class and its head
    (arrow,) = taken
    assert _ends(arrow.get("d", ""))[0] in _sides(places[_FIRST])
    heads = {path.get("marker-end") for path in picture.findall("path")}
    assert arrow.get("marker-end") == "url(#taken)"
    assert heads == {"url(#taken)", "url(#ahead)"}
    # And of one that passed, no way of a failure is, though its states were entered
    passed = moments(("entered", _FIRST), ("left", _FIRST), ("entered", "Handle failure"))
    picture, _ = _drawn(workflow_picture.visits(passed))
    assert not [path for path in picture.findall("path") if "taken" in path.get("class", "")]


def test_a_state_s_name_stands_in_the_middle_of_its_box() -> None:
    picture, places = _drawn({})
    for group in picture.findall("g"):
        name = (group.findtext("title") or "").partition(":")[0]
        lines = group.findall("text")
        heights = [float(line.get("y", 0)) for line in lines]
        x, y = places[name]
        assert " ".join(line.text or "" for line in lines) == name
        assert {float(line.get("x", 0)) for line in lines} == {x + 95}
        # The line that letters stand on is 4 below their middle
        assert sum(heights) / len(heights) == y + 22 + 4


def test_a_name_that_is_markup_stays_text() -> None:
    definition = {"StartAt": "<script>", "States": {"<script>": {"Type": "Succeed"}}}
    assert "<script>" not in workflow_picture.svg(definition, {})


def test_the_way_back_is_drawn_in_its_order_whatever_order_aws_answers_in() -> None:
    shuffled = {**_DEFINITION, "States": dict(sorted(_DEFINITION["States"].items()))}
    assert workflow_picture._places(shuffled) == workflow_picture._places(_DEFINITION)
