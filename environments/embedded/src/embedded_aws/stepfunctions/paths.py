"""JSONPath as Step Functions reads it: fields, indices, slices and wildcards; what is missing is told apart.

Deep scans (`..`), filters and functions are not emulated, and refused where they are used.
https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

import copy
import re
from typing import Any, NamedTuple

_STEP = re.compile(
    r"""\.(?P<dotted>[^.\[\]*()]+) | \.(?P<dotted_star>\*) | \[\*\](?P<star>)
      | \[(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]
      | \[(?P<index>-?\d+)\] | \[(?P<first>-?\d*):(?P<last>-?\d*)\]""",
    re.VERBOSE | re.DOTALL,
)


_BEGIN = re.compile(r"\$(\$|[A-Za-z_]\w*)?")


class PathNotEmulated(ValueError):  # noqa: N818 - it says what is the matter
    """The path uses something that is not emulated."""


class PathMissing(LookupError):  # noqa: N818 - it says what is the matter
    """The path leads nowhere; the message is Step Functions'."""


class _Step(NamedTuple):
    kind: str
    value: Any


def select(path: str, data: Any) -> Any:
    """Follow a path that begins with `$`.

    Raises:
        PathMissing: it leads nowhere; a path with a slice or a wildcard selects an empty list instead.
        PathNotEmulated: it cannot be followed here.
    """
    steps = _steps(path)
    if any(step.kind in {"slice", "star"} for step in steps):
        return _every(steps, [data])
    walked, value = "$", data
    for number, (kind, key) in enumerate(steps):
        walked += f"['{key}']" if kind == "field" else f"[{key}]"
        if not _has(kind, key, value):
            last = number + 1 == len(steps)
            raise PathMissing(
                f"No results for path: {walked}" if last else f"Missing property in path {walked}"
            )
        value = value[key]
    return value


def is_emulated(path: str) -> bool:
    """Tell whether a path of a definition can be followed here: into the data, the context or a variable."""
    try:
        _steps(_BEGIN.sub("$", path, count=1))
    except PathNotEmulated:
        return False
    return True


def placed(path: str, data: Any, value: Any) -> Any:
    """Return a copy of the data with a value at a path, whose objects are made where they are missing.

    Raises:
        PathMissing: the path cannot be applied to the data.
    """
    steps = _steps(path)
    if not steps:
        return value
    whole = copy.deepcopy(data)
    current = whole
    for number, (kind, key) in enumerate(steps):
        last = number + 1 == len(steps)
        if kind == "field" and isinstance(current, dict):
            current.setdefault(key, {})
        elif not _has(kind, key, current):
            raise PathMissing(f"Unable to apply ReferencePath {path} to input")
        if last:
            current[key] = value
        else:
            current = current[key]
    return whole


def _every(steps: list[_Step], values: list[Any]) -> list[Any]:
    for kind, key in steps:
        if kind == "star":
            inner = [v.values() if isinstance(v, dict) else v for v in values if isinstance(v, dict | list)]
            values = [each for members in inner for each in members]
        elif kind == "slice":
            values = [each for value in values if isinstance(value, list) for each in value[key]]
        else:
            values = [value[key] for value in values if _has(kind, key, value)]
    return values


def _has(kind: str, key: Any, value: Any) -> bool:
    if kind == "field":
        return isinstance(value, dict) and key in value
    return isinstance(value, list) and -len(value) <= key < len(value)


def _steps(path: str) -> list[_Step]:
    place, steps = 1, []
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise PathNotEmulated(f"the JSONPath '{path}' is not emulated here")
        place = step.end()
        steps.append(_step(step))
    return steps


def _step(match: re.Match[str]) -> _Step:
    if match["dotted"] is not None:
        return _Step("field", match["dotted"])
    if match["quoted"] is not None:
        return _Step("field", re.sub(rf"\\([\\{match['quote']}])", r"\1", match["quoted"]))
    if match["index"] is not None:
        return _Step("index", int(match["index"]))
    if match["first"] is not None:
        return _Step("slice", slice(int(match["first"] or 0), int(match["last"]) if match["last"] else None))
    return _Step("star", None)
