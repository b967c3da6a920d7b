"""The state machines: a diagram of all ways through, and for each state its retries, time-outs and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.docs_site.markdown import code, codes, lines, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Definition = dict[str, Any]


def diagram(definition: Definition) -> str:
    """Return the states as a Mermaid flow chart; dotted arrows are failures."""
    ids = {name: f"s{index}" for index, name in enumerate(definition["States"])}
    drawn = [f"    {ids[name]}{_shape(name, state)}" for name, state in definition["States"].items()]
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


def _shape(name: str, state: dict[str, Any]) -> str:
    if state["Type"] == "Choice":
        return f'{{"{name}"}}'
    if state["Type"] in {"Succeed", "Fail"}:
        return f'(["{name}"])'
    return f'["{name}"]'


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
    ids = {name: f"s{index}" for index, name in enumerate(definition["States"])}
    drawn = [f"    {ids[name]}{_shape(name, state)}" for name, state in definition["States"].items()]
    for name, state in definition["States"].items():
        ways = [(arrow if '"' not in arrow else "-.->", to) for arrow, to in _arrows(state)]
        drawn += [f"    {ids[name]} {arrow} {ids[to]}" for arrow, to in dict.fromkeys(ways)]
    return "\n".join(drawn) + "\n"
