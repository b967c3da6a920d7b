"""Takes answers, checks what the environment files become by them, and writes those that change.

Single values change; every other line stays as it is.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from environments import files, groupings, schema, tools
from environments.files import EnvironmentInvalid
from pipelines.core.refusals import Refused
from pipelines.setup.questions import TOOLS, Answers, questions, settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_value(text: str, path: str, value: Any) -> str:
    """Return the YAML text with `key` or `section.key` set; None takes the key out.

    The files have two levels and no multi-line values; whoever writes others has them checked by the schema.
    """
    section, _, key = path.rpartition(".")
    lines = text.splitlines()
    start, end, indent = _span(lines, section)
    pattern = re.compile(rf"^{indent}{re.escape(key)}:(\s|$)")
    places = [number for number in range(start, end) if pattern.match(lines[number])]
    if value is None:
        lines = [line for number, line in enumerate(lines) if number not in places]
    elif places:
        lines[places[0]] = f"{indent}{key}: {_written(value)}"
    else:
        lines.insert(_last_used(lines, start, end), f"{indent}{key}: {_written(value)}")
    return "\n".join(lines) + "\n"


def value_at(text: str, path: str) -> Any:
    """Return what the YAML text says at `key` or `section.key`; None where it says nothing."""
    part = yaml.safe_load(text)
    for key in path.split("."):
        part = part.get(key) if isinstance(part, dict) else None
    return part


def _span(lines: list[str], section: str) -> tuple[int, int, str]:
    """Return where the section's lines begin and end, and their indentation."""
    if not section:
        return 0, len(lines), ""
    start = next((number for number, line in enumerate(lines) if line.rstrip() == f"{section}:"), None)
    if start is None:
        lines += ["", f"{section}:"]
        return len(lines), len(lines), "  "
    inside = start + 1
    while inside < len(lines) and (lines[inside].startswith(" ") or not lines[inside].strip()):
        inside += 1
    return start + 1, inside, "  "


def _last_used(lines: list[str], start: int, end: int) -> int:
    """Return the line after the section's last one that says something."""
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, bool | int):
        return json.dumps(value)
    plain = yaml.safe_load(value) == value and not value.isdigit()  # other readers take digits for a number
    return value if plain else json.dumps(value)


FILES: Final = (TOOLS, *groupings.PROMOTED)
"""The files that setting up writes; `local` is the embedded AWS's."""
_LAST_LIST_SECTION: Final = ("stripe",)


def read(file: Path) -> Answers:
    """Return the answers that a file holds: YAML, a question's name to its answer.

    Raises:
        Refused: It is no such file, or answers what nobody asks.
    """
    try:
        raw = files.read_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refused(f"{file} cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise Refused(f"{file} is not a list of answers, as `region: eu-central-1`.")
    known = {question.name for question in questions()}
    if strangers := sorted(set(map(str, raw)) - known):
        raise Refused(
            f"{file}: nobody asks for {', '.join(strangers)}.", f"Choose from {', '.join(sorted(known))}"
        )
    return {str(name): str(answer) for name, answer in raw.items()}


def current(folder: Path) -> Answers:
    """Return the answers that the environment files give already."""
    texts = _texts(folder)
    stated = {
        question.name: value_at(texts[question.place[0]], question.place[1]) for question in questions()
    }
    return {name: str(answer) for name, answer in stated.items() if answer is not None}


def write(answers: Mapping[str, str], folder: Path) -> list[Path]:
    """Write the files that the answers change, all or none of them.

    Args:
        answers: An answer to each question that is asked.
        folder: The folder of the environment files.

    Returns:
        The files that changed.

    Raises:
        Refused: An answer is missing, or the files would break a rule; nothing is written then.
    """
    missing = [q.name for q in questions() if q.asked(answers) and not answers.get(q.name)]
    if missing:
        raise Refused(f"There is no answer to {', '.join(missing)}.", "payments init asks for each.")
    texts = _texts(folder)
    changed = {name: _changed(name, texts[name], answers) for name in FILES}
    _check(changed)
    written = []
    for name, text in changed.items():
        if text != texts[name]:
            path = folder / f"{name}.yml"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def _texts(folder: Path) -> dict[str, str]:
    return {name: (folder / f"{name}.yml").read_text(encoding="utf-8") for name in FILES}


def _changed(name: str, text: str, answers: Mapping[str, str]) -> str:
    try:
        every = settings(answers)
    except ValueError as error:
        raise Refused(f"network: {error}") from error
    for (file, path), value in every.items():
        if file == name and value_at(text, path) != _comparable(value):
            text = with_value(text, path, value)
    return _without_empty_sections(text)


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _without_empty_sections(text: str) -> str:
    for section in _LAST_LIST_SECTION:
        if f"\n{section}:" in text and value_at(text, section) is None:
            text = with_value(text, section, None)
    return text


def _check(texts: Mapping[str, str]) -> None:
    """Refuse texts that break a rule of one file, or between the files."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / schema.FOLDER.name
        folder.mkdir()
        for name, text in texts.items():
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        environments = {}
        for name in groupings.PROMOTED:
            try:
                environments[name] = schema.load(name, folder)
            except EnvironmentInvalid as invalid:
                problems.append(str(invalid))
        try:
            stated = tools.load(folder / f"{TOOLS}.yml")
            problems += [f"{p.key}: {p.rule}" for p in groupings.problems(environments, stated)]
        except EnvironmentInvalid as invalid:
            problems.append(str(invalid))
    if problems:
        raise Refused("\n".join(problems), "Nothing was written. Answer again: payments init")
