"""Whoever waits is told what the same action took before, by its median."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipelines.cli import terminal
from pipelines.cli.promotion_view import Lines, drawn
from pipelines.cli.terminal import Durations, described_duration
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


@pytest.mark.parametrize(("seconds", "told"), [(4.9, ""), (5, "usually 5 s")])
def test_what_takes_five_seconds_is_worth_telling(tmp_path: Path, seconds: float, told: str) -> None:
    durations = Durations(tmp_path / "durations.json")
    durations.keep_named("a", seconds)
    assert durations.named("a") == told


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
    ("seconds", "words"), [(40.4, "40 s"), (119, "119 s"), (120, "2 min"), (150, "2 min"), (600, "10 min")]
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert described_duration(seconds) == words


def test_lines_and_drawing_say_what_to_expect(tmp_path: Path) -> None:
    durations = Durations(tmp_path / "durations.json")
    durations.keep(Promotion("release", "pipeline", "run", steps=[step(60)]))
    lines: list[str] = []
    promotion = Promotion("release", "pipeline", "run", status="InProgress", steps=[step(0, "InProgress")])
    Lines(lines.append, durations).show(promotion)
    assert lines == ["  … Build: Build, usually 60 s"]
    table = drawn(promotion, ["Build"], _BEGAN, notes={"id": "make check, usually 60 s"})
    assert "make check, usually 60 s" in [str(cell) for cell in table.columns[3].cells]


def test_several_things_together_take_the_sum_and_one_that_was_never_seen_leaves_it_open(
    tmp_path: Path,
) -> None:
    durations = Durations(tmp_path / "durations.json")
    durations.keep_named("a", 60)
    durations.keep_named("b", 90)
    assert durations.together(["a", "b", "b"]) == "usually 4 min"
    assert durations.together(["a", "c"]) == ""
    assert durations.together([]) == ""


def test_where_nothing_can_be_written_nothing_is_remembered_and_nothing_fails(tmp_path: Path) -> None:
    # Given a file in the way of the folder
    (tmp_path / "cache").write_text("in the way")
    durations = Durations(tmp_path / "cache" / "durations.json")
    durations.keep_named("a", 60)
    assert Durations(tmp_path / "cache" / "durations.json").named("a") == ""


def test_progress_shows_its_phase_and_how_long_it_usually_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given work that has run for twelve seconds, and took a minute before
    clock = iter([100.0, 100.5, 112.0, 112.0, 112.0])
    monkeypatch.setattr("pipelines.cli.terminal.time", SimpleNamespace(monotonic=lambda: next(clock)))
    reporter = terminal.Terminal("deploying prod", "usually 60 s")
    assert reporter.__rich__().plain == "deploying prod (usually 60 s)"
    # When it says its phase; Then that is shown, and how long it has taken
    reporter.passing("packaged smoke")
    assert reporter.__rich__().plain == "packaged smoke (12 s, usually 60 s)"
    # And what was never seen promises nothing
    assert terminal.Terminal("a", "").__rich__().plain == "a"


def test_what_people_read_leaves_standard_output_to_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.results_for(machine=True):
        terminal.out.print("Stages")
    terminal.as_json({"a": 1})
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"a": 1}
    assert "Stages" in printed.err
