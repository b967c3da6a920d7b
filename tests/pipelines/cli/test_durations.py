"""Whoever waits is told what the same action took before, by its median."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.durations import Durations, described
from pipelines.cli.promotion_view import Lines, drawn
from pipelines.promotion.execution import Promotion, Step

if TYPE_CHECKING:
    from pathlib import Path

_BEGAN = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def step(seconds: float, status: str = "Succeeded", action: str = "Build") -> Step:
    return Step("id", "Build", action, status, _BEGAN, _BEGAN + timedelta(seconds=seconds), "", "")


def test_an_action_is_expected_to_take_its_median_and_a_short_one_is_not_told(tmp_path: Path) -> None:
    # Given three builds that were seen, one of them slow, and a short action
    for seconds in (40, 50, 400):
        promotion = Promotion("release", "pipeline", "run", steps=[step(seconds), step(2, action="Publish")])
        Durations(tmp_path / "durations.json").keep(promotion)
    # When somebody waits for the next one
    durations = Durations(tmp_path / "durations.json")
    # Then
    assert durations.expected("release", step(0, "InProgress")) == "usually 50 s"
    assert durations.expected("release", step(0, "InProgress", "Publish")) == ""
    assert durations.expected("branch", step(0, "InProgress")) == ""


def test_what_failed_is_no_expectation_and_old_durations_go(tmp_path: Path) -> None:
    durations = Durations(tmp_path / "durations.json")
    for seconds in (1000, 1000, 1000, 30, 30, 30, 30, 30):
        durations.keep(Promotion("release", "pipeline", "run", steps=[step(seconds), step(999, "Failed")]))
    assert durations.expected("release", step(0, "InProgress")) == "usually 30 s"


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', '{"a": [null]}', "\x00"])
def test_a_broken_file_is_no_failure(content: str, tmp_path: Path) -> None:
    file = tmp_path / "durations.json"
    file.write_text(content, encoding="utf-8")
    durations = Durations(file)
    durations.keep_named("x", 90)
    assert Durations(file).named("x") == "usually 90 s"


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.4, "40 s"), (119, "119 s"), (150, "2 min"), (600, "10 min")]
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert described(seconds) == words


def test_lines_and_drawing_say_what_to_expect(tmp_path: Path) -> None:
    durations = Durations(tmp_path / "durations.json")
    durations.keep(Promotion("release", "pipeline", "run", steps=[step(60)]))
    lines: list[str] = []
    promotion = Promotion("release", "pipeline", "run", status="InProgress", steps=[step(0, "InProgress")])
    Lines(lines.append, durations).show(promotion)
    assert lines == ["  … Build: Build, usually 60 s"]
    table = drawn(promotion, ["Build"], _BEGAN, notes={"id": "make check, usually 60 s"})
    assert "make check, usually 60 s" in [str(cell) for cell in table.columns[3].cells]
