"""The state machines: a diagram of all ways through, and for each state its retries, time-outs and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, codes, lines, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Definition = dict[str, Any]


def diagram(definition: Definition) -> str:
    """Return the states as a Mermaid flow chart; dotted arrows are failures, what leans left undoes."""
    ids, drawn = _nodes(definition)
    drawn.append(f"    start((( ))) --> {ids[definition['StartAt']]}")
    for name, state in definition["States"].items():
        drawn += [
            f"    {ids[name]} {arrow} {ids[to]}" for arrow, to in dict.fromkeys(_arrows(state)) if to in ids
        ]
    return "\n".join(["flowchart TB", *drawn]) + "\n"


def facts(definition: Definition) -> dict[str, str]:
    """Return a table of each state's facts, by the state's name."""
    return {name: _facts(state) for name, state in definition["States"].items()}


def overview(definition: Definition) -> str:
    """Return a table of all states."""
    rows = [
        [
            f"[{name}](#{_anchor(name)})",
            state["Type"],
            f"{state['TimeoutSeconds']} s" if "TimeoutSeconds" in state else "",
            lines(_budget(retry) for retry in state.get("Retry", [])),
            lines(dict.fromkeys(to for _, to in _arrows(state))),
        ]
        for name, state in definition["States"].items()
    ]
    return table(["State", "Type", "Time-out", "Retries", "Goes on at"], rows)


_LOOKS: Final = {
    "back": "stroke:#c77700,stroke-width:3px",
    "placed": "stroke:#1f9d57,stroke-width:4px",
    "failed": "stroke:#d64545,stroke-width:4px",
}
"""Outlines alone: in the dark the theme lights the letters on any fill. Shapes say the same."""


def _nodes(definition: Definition) -> tuple[dict[str, str], list[str]]:
    """Return the id of each state, and the lines that draw them: forward, back, and the two kinds of ends."""
    states, forward = definition["States"], _forward(definition)
    ids = {name: f"s{index}" for index, name in enumerate(states)}
    kinds = {
        name: {"Succeed": "placed", "Fail": "failed"}.get(
            state["Type"], "forward" if name in forward else "back"
        )
        for name, state in states.items()
    }
    drawn = [f"    {ids[name]}{_shape(name, state, kinds[name])}" for name, state in states.items()]
    for kind, look in _LOOKS.items():
        if members := [ids[name] for name in states if kinds[name] == kind]:
            drawn += [f"    classDef {kind} {look}", f"    class {','.join(members)} {kind}"]
    return ids, drawn


def _forward(definition: Definition) -> set[str]:
    """Return the states that are reached where nothing fails."""
    reached, ahead = set[str](), [definition["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [to for arrow, to in _arrows(definition["States"][name]) if not arrow.startswith("-.")]
    return reached


def _shape(name: str, state: dict[str, Any], kind: str) -> str:
    shapes = {"placed": '(["✓ {}"])', "failed": '(["✗ {}"])', "back": '[\\"{}"\\]'}
    return f'{{"{name}"}}' if state["Type"] == "Choice" else shapes.get(kind, '["{}"]').format(name)


def _arrows(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every transition out of a state: how it is drawn, and where it leads."""
    if "Next" in state:
        yield "-->", state["Next"]
    for choice in state.get("Choices", []):
        yield "-- yes -->", choice["Next"]
    if "Default" in state:
        yield ("-- no -->" if state.get("Choices") else "-->"), state["Default"]
    for catcher in state.get("Catch", []):
        errors = ["any other error" if error == "States.ALL" else error for error in catcher["ErrorEquals"]]
        yield f'-. "{"<br>".join(errors)}" .->', catcher["Next"]


def _facts(state: dict[str, Any]) -> str:
    rows = [["Type", state["Type"]]]
    if "TimeoutSeconds" in state:
        rows.append(["Time-out", f"{state['TimeoutSeconds']} s"])
    rows += [
        [f"Retries<br>{_budget(retrier)}", codes(retrier["ErrorEquals"])]
        for retrier in state.get("Retry", [])
    ]
    rows += [
        [f"Goes to {catcher['Next']} on", codes(catcher["ErrorEquals"])] for catcher in state.get("Catch", [])
    ]
    rows += [
        [f"Goes to {choice['Next']} if", code(choice["Condition"].strip("{% }"))]
        for choice in state.get("Choices", [])
    ]
    for key, label in (("Default", "Otherwise"), ("Next", "Then"), ("Error", "Fails with")):
        if key in state:
            rows.append([label, code(state[key]) if key == "Error" else state[key]])
    return table(["Fact", "Value"], rows)


def _budget(retry: dict[str, Any]) -> str:
    longest = f", at most {_time(retry['MaxDelaySeconds'])}" if "MaxDelaySeconds" in retry else ""
    jitter = ", full jitter" if retry.get("JitterStrategy") == "FULL" else ""
    growing = f"{_time(retry['IntervalSeconds'])}, growing {retry['BackoffRate']:g} times"
    return f"{retry['MaxAttempts']} times, after {growing}{longest}{jitter}"


def _time(seconds: int) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _anchor(name: str) -> str:
    from markdown.extensions.toc import slugify  # noqa: PLC0415 - comes with MkDocs, a development tool

    return str(slugify(name, "-"))


def happy_and_undone(definition: Definition) -> str:
    """Return the states as the README draws them: without the names of errors."""
    ids, drawn = _nodes(definition)
    for name, state in definition["States"].items():
        ways = [(arrow if '"' not in arrow else "-.->", to) for arrow, to in _arrows(state)]
        drawn += [f"    {ids[name]} {arrow} {ids[to]}" for arrow, to in dict.fromkeys(ways)]
    return "\n".join(drawn) + "\n"
