"""A promotion at a terminal: every stage, what runs and how long, and what waits for whom."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from rich.text import Text

from pipelines.cli.promotion_view import Lines, Screen, drawn
from pipelines.promotion.execution import Promotion, Step

_BEGAN = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
_STAGES = ["Source", "Build", "Approve", "Production", "Docs"]


def _step(stage: str, action: str, status: str, when: tuple[int, int], said: str = "") -> Step:
    begins, lasts = when
    began = _BEGAN + timedelta(seconds=begins)
    ended = began + timedelta(seconds=lasts)
    return Step(f"{action}-1", stage, action, status, began, ended, said, "")


def _shown(promotion: Promotion, seconds: int) -> list[str]:
    shown = io.StringIO()
    Console(width=120, file=shown).print(drawn(promotion, _STAGES, _BEGAN + timedelta(seconds=seconds)))
    return [" ".join(line.split()) for line in shown.getvalue().splitlines()]


def test_each_stage_says_how_long_it_took_and_the_gate_for_whom_it_waits() -> None:
    steps = [
        _step("Source", "Checkout", "Succeeded", (0, 2)),
        _step("Build", "Build", "Succeeded", (2, 30)),
        _step("Approve", "Approve", "InProgress", (40, 0)),
    ]
    promotion = Promotion("release", "pipeline", "run", "c" * 40, "InProgress", steps=steps)
    assert _shown(promotion, 60) == [
        "✓ Source 2.0 s",
        "✓ Build 30.0 s",
        "… Approve 20.0 s",
        "… Approve 20.0 s waits for approval",
        "· Production",
        "· Docs",
    ]


def test_a_stage_that_bakes_says_what_it_watches_and_a_failed_action_why() -> None:
    steps = [
        _step("Build", "Build", "Failed", (0, 3), "exit status 2"),
        _step("Production", "Smoke", "Succeeded", (10, 5)),
    ]
    promotion = Promotion(
        "release", "pipeline", "run", status="InProgress", steps=steps, conditions={"Production": "Bake"}
    )
    shown = _shown(promotion, 20)
    assert "✗ Build 3.0 s exit status 2" in shown
    assert "… Production 10.0 s waits for Bake" in shown


def test_elsewhere_there_is_a_line_for_each_change_and_none_twice() -> None:
    told = list[str]()
    lines = Lines(told.append)
    promotion = Promotion("release", "pipeline", "run", steps=[_step("Build", "Build", "InProgress", (0, 0))])
    lines.show(promotion)
    lines.show(promotion)
    promotion.steps = [_step("Build", "Build", "Succeeded", (0, 3))]
    lines.show(promotion)
    assert told == ["  … Build: Build", "  [green]✓[/] Build: Build 3.0 s"]


def _on_screen(written: str) -> list[str]:
    """What a terminal shows in the end: cursor movements and erased lines applied, colours dropped."""
    lines, row = [""], 0
    for piece in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", written):
        if piece == "\n":
            row += 1
            lines += [""] if row == len(lines) else []
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif move := re.fullmatch(r"\x1b\[(\d+)A", piece):
            row -= int(move[1])
        elif not piece.startswith("\x1b") and piece != "\r":
            lines[row] += piece
    return [line.rstrip() for line in lines if line.strip()]


def test_what_waits_for_somebody_stands_out_from_what_runs() -> None:
    # Given an approval that waits, and a build that runs
    steps = [_step("Build", "Build", "InProgress", (0, 0)), _step("Approve", "Approve", "InProgress", (0, 0))]
    promotion = Promotion("release", "pipeline", "run", status="InProgress", steps=steps)
    table = drawn(promotion, _STAGES, _BEGAN, notes={"Build-1": "make check"})
    # Then
    notes = {cell.plain: cell.style for cell in table.columns[3].cells if isinstance(cell, Text)}
    assert (notes["make check"], notes["waits for approval"]) == ("dim", "yellow")


def test_a_promotion_is_on_the_screen_as_soon_as_it_is_shown() -> None:
    # Given a terminal, and a view that is not closed yet
    written = io.StringIO()
    screen = Screen(_STAGES, Console(file=written, force_terminal=True, width=80, legacy_windows=False))
    promotion = Promotion("release", "pipeline", "run", status="InProgress")
    # When the first action ends
    promotion.steps = [_step("Source", "Checkout", "Succeeded", (0, 2))]
    screen.show(promotion)
    # Then whoever looks sees it
    seen = written.getvalue()
    screen.close()
    assert "2.0 s" in seen


@pytest.mark.parametrize("columns", [80, 120])
def test_what_is_printed_at_a_gate_stays_on_the_screen_when_the_drawing_goes_on(columns: int) -> None:
    # Given a drawing of several lines, at a gate
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=True, width=columns, color_system=None, legacy_windows=False
    )
    promotion = Promotion("release", "pipeline", "run", status="InProgress")
    promotion.steps = [_step("Source", "Checkout", "Succeeded", (0, 2))]
    screen = Screen(_STAGES, console)
    screen.show(promotion)
    # When the evidence is shown and answered, and the drawing goes on
    evidence = [f"evidence line {number}" for number in range(12)]
    with screen.paused():
        for line in evidence:
            console.print(line)
    promotion.steps.append(_step("Build", "Build", "Succeeded", (2, 30)))
    screen.show(promotion)
    screen.show(promotion)
    screen.close()
    # Then all of it is still there, below the first drawing and above the last
    shown = _on_screen(written.getvalue())
    assert [line for line in shown if line.startswith("evidence")] == evidence
    assert any("Build" in line and "30.0 s" in line for line in shown[shown.index(evidence[-1]) :])
