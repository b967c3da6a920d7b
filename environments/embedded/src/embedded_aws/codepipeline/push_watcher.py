"""Notices pushes: looks at the registered repositories, and tells what changed since it looked last.

What was seen is stored, so commits that are made while the instance is down are noticed when it is back. What
a repository held when it was registered starts nothing.
"""

import functools
import logging
import os
from pathlib import Path

from embedded_aws.codeconnections import repositories
from embedded_aws.codepipeline import triggers
from embedded_aws.core import runtime

_EVERY_SECONDS = 0.4
_KIND = "references"
_log = logging.getLogger(__name__)


def watch() -> None:
    """Look for changes until the instance stops."""
    seen: dict[str, object] = {}
    while not runtime.current().stopping.wait(_EVERY_SECONDS):
        for name, folder in repositories.registered().items():
            state = _state(folder)
            if seen.get(name) != state:
                seen[name] = state
                try:
                    start_pushed(name, folder)
                except repositories.RepositoryUnavailable as error:
                    _log.warning("%s: %s", name, error)
                except Exception:  # noqa: BLE001 - a fault in one repository must not make us blind to the others
                    _log.exception("%s", name)


def start_pushed(name: str, folder: Path) -> None:
    """Start pipelines for the references of a repository that changed since they were compared last."""
    store = runtime.current().store
    now = repositories.references(folder)
    with store.transaction():
        before = store.get(_KIND, name, str(folder)) or repositories.references_when_registered(name)
        store.put(_KIND, name, str(folder), body=now)
        for reference, commit in now.items():
            if before.get(reference) != commit:
                triggers.pushed(triggers.Push(name, folder, reference, before.get(reference), commit))


def _state(folder: Path) -> object:
    """What the references' files hold: cheap to read, and different after every push, however quick."""
    git = _common_folder(folder)
    packed = git / "packed-refs"
    contents: list[tuple[str, object]] = [(str(packed), _stamp(packed))]
    for place, _, names in os.walk(git / "refs"):
        contents += [(f"{place}/{name}", _text(Path(place, name))) for name in names]
    return sorted(contents, key=lambda entry: entry[0])


@functools.cache
def _common_folder(folder: Path) -> Path:
    """Where a repository keeps its references: one that git made with `worktree add` keeps them elsewhere."""
    usual = folder / ".git"
    if usual.is_dir():
        return usual
    try:
        return repositories.common_folder(folder)
    except repositories.RepositoryUnavailable:
        return folder  # gone; looking at it will say so


def _text(file: Path) -> str:
    """A reference is one short line; git puts another file in its place, perhaps within the clock's tick."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0, 0
    return status.st_mtime_ns, status.st_ino, status.st_size
