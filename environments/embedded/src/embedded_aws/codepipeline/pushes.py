"""Notices pushes: looks at the registered repositories, and tells what changed since it looked last.

What was seen is stored, so commits that are made while the instance is down are noticed when it is back. What
a repository held when it was registered starts nothing.

Which pipelines a push starts: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html.
"""

import functools
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.codeconnections import repositories
from embedded_aws.codepipeline import pipelines
from embedded_aws.codepipeline.actions import source
from embedded_aws.core import globs, runtime
from embedded_aws.core.api import Json

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
                pushed(Push(name, folder, reference, before.get(reference), commit))


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


_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Push:
    """One reference of a repository that changed."""

    repository: str
    folder: Path
    reference: str
    before: str | None
    after: str

    @property
    def branch(self) -> str | None:
        """The branch, unless a tag was pushed."""
        return self.reference.removeprefix(_BRANCHES) if self.reference.startswith(_BRANCHES) else None

    @property
    def tag(self) -> str | None:
        """The tag, unless a branch was pushed."""
        return self.reference.removeprefix(_TAGS) if self.reference.startswith(_TAGS) else None


def pushed(push: Push) -> None:
    """Start every pipeline whose trigger matches a push."""
    with runtime.current().store.transaction():
        for scope, record in pipelines.every():
            for action in _matching(record["pipeline"], push):
                detail = {
                    "connectionArn": action["configuration"].get("ConnectionArn"),
                    "repository": push.repository,
                    "branch": push.branch,
                    "tag": push.tag,
                    "commit": push.after,
                }
                pipelines.begin(
                    scope,
                    record,
                    {"triggerType": "WebhookV2", "triggerDetail": json.dumps(detail, ensure_ascii=False)},
                    push={"action": action["name"], "branch": push.branch or push.tag, "commit": push.after},
                )
                break  # one execution for one push, however many of its actions match


def _matching(pipeline: Json, push: Push) -> Iterator[Json]:
    for action in pipeline["stages"][0]["actions"]:
        named = source.origin(action)
        ours = named is not None and named.repository == push.repository
        if named is not None and ours and _starts(pipeline, action, named, push):
            yield action


def _starts(pipeline: Json, action: Json, named: source.Origin, push: Push) -> bool:
    triggers = [
        trigger["gitConfiguration"]
        for trigger in pipeline.get("triggers", [])
        if trigger["gitConfiguration"]["sourceActionName"] == action["name"]
    ]
    if not triggers:  # "by default, changes on the configured branch are detected"
        return named.polls and push.branch == named.branch
    return any(_matches(filter_, push) for trigger in triggers for filter_ in trigger.get("push", []))


def _matches(filter_: Json, push: Push) -> bool:
    if "tags" in filter_:
        return push.tag is not None and _chosen(filter_["tags"], lambda: [push.tag or ""])
    if push.branch is None:
        return False
    if not _chosen(filter_.get("branches"), lambda: [push.branch or ""]):
        return False
    return _chosen(
        filter_.get("filePaths"), lambda: repositories.changed_files(push.folder, push.before, push.after)
    )


def _chosen(criteria: Json | None, names: Callable[[], list[str]]) -> bool:
    """Tell whether any name is included and not excluded; excluding has priority."""
    if not criteria:
        return True
    includes, excludes = criteria.get("includes") or ["**"], criteria.get("excludes") or []
    return any(
        any(globs.matches(pattern, name) for pattern in includes)
        and not any(globs.matches(pattern, name) for pattern in excludes)
        for name in names()
    )
