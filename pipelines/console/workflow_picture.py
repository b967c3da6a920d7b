"""Draws an execution as the workflow's picture: the path it took, where it failed, and where it is.

The way forward runs down the left column and the way back down the right one, with the ends below; so they
are told apart by place and by shape, not by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.aws.executions import Moment

Definition = dict[str, Any]
_WIDTH, _HEIGHT = 190, 44
_COLUMN, _ROW, _MARGIN, _BEND = 250, 84, 14, 76
_ENDS: Final = {"Succeed", "Fail"}


@dataclass(frozen=True, slots=True)
class Visit:
    """What an execution did in one state.

    Attributes:
        entered: How often it was entered.
        attempts_failed: How many attempts of its task failed.
        state: `passed`, `failed`, `current` or `untouched`.
        seconds: How long it was in it, all visits together.
        error: The last error of an attempt.
    """

    entered: int = 0
    attempts_failed: int = 0
    state: str = "untouched"
    seconds: float = 0.0
    error: str = ""


def visits(moments: Sequence[Moment]) -> dict[str, Visit]:
    """Return what an execution did in each state that it entered, by the state's name."""
    seen: dict[str, Visit] = {}
    entered_at = None
    current = ""
    for moment in moments:
        if moment.what == "entered":
            before = seen.get(moment.state, Visit())
            entered_at, current = moment.at, moment.state
            seen[current] = Visit(before.entered + 1, 0, "current", before.seconds)
        elif moment.what == "attempt failed" and current:
            visit = seen[current]
            seen[current] = Visit(
                visit.entered, visit.attempts_failed + 1, "current", visit.seconds, moment.error
            )
        elif moment.what == "left" and moment.state in seen:
            visit = seen[moment.state]
            took = (moment.at - entered_at).total_seconds() if entered_at else 0.0
            state = "failed" if visit.error else "passed"
            seen[moment.state] = Visit(
                visit.entered, visit.attempts_failed, state, visit.seconds + took, visit.error
            )
        elif moment.what == "ended" and current and seen[current].state == "current":
            visit = seen[current]
            state = "passed" if moment.state == "SUCCEEDED" else "failed"
            seen[current] = Visit(visit.entered, visit.attempts_failed, state, visit.seconds, moment.error)
    return seen


def svg(definition: Definition, seen: dict[str, Visit]) -> str:
    """Return the picture of a state machine, with what an execution did in it."""
    places = _places(definition)
    width = max(x for x, _ in places.values()) + _WIDTH + _BEND
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    arrows = "".join(_arrow(places, start, end, kind, seen) for start, end, kind in _transitions(definition))
    boxes = "".join(
        _box(name, state["Type"], places[name], seen.get(name, Visit()))
        for name, state in definition["States"].items()
    )
    return (
        f'<svg class="workflow" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(described(definition, seen))}">{_MARKERS}{arrows}{boxes}</svg>'
    )


def described(definition: Definition, seen: dict[str, Visit]) -> str:
    """Return the picture in words, for who cannot see it."""
    words = {"passed": "passed", "failed": "failed", "current": "is now"}
    visited = [f"{name}: {words[seen[name].state]}" for name in definition["States"] if name in seen]
    return "The path of this execution. " + ("; ".join(visited) or "Nothing was entered yet") + "."


def forward_path(definition: Definition) -> list[str]:
    """Return the states of the way forward, from the start to its end."""
    path = [definition["StartAt"]]
    while (following := definition["States"][path[-1]].get("Next")) and following not in path:
        path.append(following)
    return path


def _places(definition: Definition) -> dict[str, tuple[int, int]]:
    forward = forward_path(definition)
    back = _way_back(definition, forward)
    rows_back = [name for name in back if definition["States"][name]["Type"] not in _ENDS]
    places = {name: (_MARGIN, _MARGIN + row * _ROW) for row, name in enumerate(forward)}
    places |= {name: (_MARGIN + _COLUMN, _MARGIN + (row + 1) * _ROW) for row, name in enumerate(rows_back)}
    ends = [name for name in back if name not in rows_back]
    bottom = max(len(forward), len(rows_back) + 1)
    return places | {
        name: (_MARGIN + _COLUMN, _MARGIN + (bottom + row) * _ROW) for row, name in enumerate(ends)
    }


def _way_back(definition: Definition, forward: Sequence[str]) -> list[str]:
    """Return the other states, in the order in which a failure of the last forward step goes through them.

    AWS returns a definition with its states in any order.
    """
    rest = [name for name in sorted(definition["States"]) if name not in forward]
    states = (definition["States"][name] for name in reversed(forward))
    caught = [catcher["Next"] for state in states for catcher in state.get("Catch", [])]
    chain: list[str] = []
    for start in (*caught, *rest):
        chain += [name for name in _chain(definition, start, rest) if name not in chain]
    return chain


def _chain(definition: Definition, start: str, among: Sequence[str]) -> list[str]:
    chain, queue = [], [start]
    while queue:
        name = queue.pop(0)
        if name in chain or name not in among:
            continue
        chain.append(name)
        state = definition["States"][name]
        queue += [state["Next"]] if "Next" in state else []
        queue += [choice["Next"] for choice in state.get("Choices", [])]
        queue += [state["Default"]] if "Default" in state else []
    return chain


def _transitions(definition: Definition) -> Iterator[tuple[str, str, str]]:
    """Yield each pair of states once, with how one leads to the other: `next`, `choice` or `catch`."""
    drawn: set[tuple[str, str]] = set()
    for name, state in definition["States"].items():
        ways = [(state["Next"], "next")] if "Next" in state else []
        ways += [(choice["Next"], "choice") for choice in state.get("Choices", [])]
        ways += [(state["Default"], "choice")] if "Default" in state else []
        ways += [(catcher["Next"], "catch") for catcher in state.get("Catch", [])]
        for end, kind in ways:
            if (name, end) not in drawn:
                drawn.add((name, end))
                yield name, end, kind


def _arrow(
    places: dict[str, tuple[int, int]], start: str, end: str, kind: str, seen: dict[str, Visit]
) -> str:
    (x1, y1), (x2, y2) = places[start], places[end]
    taken = start in seen and end in seen and (kind != "catch" or bool(seen[start].error))
    style = f"{kind}{' taken' if taken else ''}"
    marker = "url(#taken)" if taken else "url(#ahead)"
    if x1 == x2 and y2 - y1 == _ROW:
        path = f"M{x1 + _WIDTH / 2} {y1 + _HEIGHT} V{y2 - 2}"
    elif x1 == x2:
        side = x1 + _WIDTH
        bend = side + 12 + abs(y2 - y1) / 12
        begin, finish = y1 + _HEIGHT / 2, y2 + _HEIGHT / 2
        path = f"M{side} {begin} C{bend} {begin} {bend} {finish} {side + 2} {finish}"
    elif x1 < x2:
        path = _curve(x1 + _WIDTH, y1 + _HEIGHT / 2, x2 - 2, y2 + _HEIGHT / 2)
    else:
        path = _curve(x1, y1 + _HEIGHT / 2, x2 + _WIDTH + 2, y2 + _HEIGHT / 2)
    return f'<path class="{style}" d="{path}" marker-end="{marker}"/>'


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"


def _box(name: str, kind: str, place: tuple[int, int], visit: Visit) -> str:
    x, y = place
    radius = _HEIGHT // 2 if kind in _ENDS else 6
    shape = f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}"/>'
    if kind == "Choice":
        tip = 16
        points = (
            f"{x},{y + _HEIGHT / 2} {x + tip},{y} {x + _WIDTH - tip},{y} {x + _WIDTH},{y + _HEIGHT / 2}"
            f" {x + _WIDTH - tip},{y + _HEIGHT} {x + tip},{y + _HEIGHT}"
        )
        shape = f'<polygon points="{points}"/>'
    middle = x + _WIDTH / 2
    lines = _wrapped(name)
    top = y + _HEIGHT / 2 - (len(lines) - 1) * 7 + 4
    text = "".join(
        f'<text x="{middle}" y="{top + row * 14}">{escape(line)}</text>' for row, line in enumerate(lines)
    )
    return f'<g class="state {visit.state}"><title>{escape(_told(name, visit))}</title>{shape}{text}</g>'


def _told(name: str, visit: Visit) -> str:
    if visit.state == "untouched":
        return f"{name}: not entered"
    failures = f", {visit.attempts_failed} attempts failed ({visit.error})" if visit.attempts_failed else ""
    return f"{name}: {visit.state}, {visit.seconds:.2f} s{failures}"


def _wrapped(name: str, most: int = 24) -> list[str]:
    if len(name) <= most:
        return [name]
    words = name.split()
    half = next(
        (count for count in range(len(words), 0, -1) if len(" ".join(words[:count])) <= most), len(words)
    )
    return [" ".join(words[:half]), " ".join(words[half:])]


_MARKERS: Final = (
    '<defs><marker id="ahead" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
    ' orient="auto-start-reverse"><path class="head" d="M0 0 8 4 0 8z"/></marker>'
    '<marker id="taken" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5"'
    ' orient="auto-start-reverse"><path class="head taken" d="M0 0 8 4 0 8z"/></marker></defs>'
)
