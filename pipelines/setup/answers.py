"""Takes answers, checks what the environment files become by them, and writes those that change."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from environments import groupings, schema, tools, yaml_files
from environments.problems import EnvironmentInvalid
from pipelines.core.refusals import Refused
from pipelines.setup import files
from pipelines.setup.questions import TOOLS, Answers, questions, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES: Final = (TOOLS, *groupings.PROMOTED)
"""The files that setting up writes; `local` is the embedded AWS's."""
_LAST_LIST_SECTION: Final = ("stripe",)


def read(file: Path) -> Answers:
    """Return the answers that a file holds: YAML, a question's name to its answer.

    Raises:
        Refused: It is no such file, or answers what nobody asks.
    """
    try:
        raw = yaml_files.read(file.read_text(encoding="utf-8"))
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
        question.name: files.value(texts[question.place[0]], question.place[1]) for question in questions()
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
        if file == name and files.value(text, path) != _comparable(value):
            text = files.changed(text, path, value)
    return _without_empty_sections(text)


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _without_empty_sections(text: str) -> str:
    for section in _LAST_LIST_SECTION:
        if f"\n{section}:" in text and files.value(text, section) is None:
            text = files.changed(text, section, None)
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
