"""Which pipelines a push starts: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.codeconnections import repositories
from embedded_aws.codepipeline import pipelines
from embedded_aws.codepipeline.actions import source
from embedded_aws.core import globs, runtime
from embedded_aws.core.api import Json

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
