"""P301 to P306: triggers that AWS refuses, or that never start anything.

Source: CodePipeline user guide, "Automate starting pipelines using triggers and filtering"; API reference,
GitConfiguration, GitPushFilter and GitBranchFilterCriteria.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter.values import listed, mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_FILTERS: Final = 3
_GLOBS: Final = 8
_CONNECTION: Final = "CodeStarSourceConnection"

RULES: Final = {
    "P301": Rule("no glob or more than eight in a list of a filter", "Use a wider glob"),
    "P302": Rule(
        "more than three push or pull request filters in a trigger", "Merge them, or split the pipeline"
    ),
    "P303": Rule(
        "tags beside branches or file paths in one filter",
        "Make two filters of it: a push is of a tag or of a branch",
    ),
    "P304": Rule(
        "a trigger of what is no source action with a connection",
        "Name a source action with the provider CodeStarSourceConnection",
    ),
    "P305": Rule(
        "a filter that filters by nothing",
        "Say Branches, Tags or FilePaths, or leave the filter out",
        Level.WARNING,
    ),
    "P306": Rule("two triggers of one source action", "Put all its filters in one trigger", Level.WARNING),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong with the pipeline's triggers."""
    watched: set[str] = set()
    for trigger in mappings(pipeline.raw.get("Triggers")):
        git = mapping(trigger.get("GitConfiguration"))
        source = text(git.get("SourceActionName")) or ""
        place = f"{pipeline.name} > trigger of {source or 'nothing'}"
        if source in watched:
            fix = "Put all its filters in one trigger"
            yield pipeline.finding("P306", place, f"{source} has a trigger already", fix)
        watched.add(source)
        yield from _source(pipeline, place, source)
        for kind in ("Push", "PullRequest"):
            yield from _filters(pipeline, place, kind, mappings(git.get(kind)))


def _source(pipeline: Pipeline, place: str, source: str) -> Iterator[Finding]:
    actions = {text(action.raw.get("Name")): action for action in pipeline.actions}
    if source not in actions or actions[source].kind[2] != _CONNECTION:
        fix = "Name a source action with the provider CodeStarSourceConnection; others have no triggers"
        yield pipeline.finding("P304", place, f"{source or 'it'} is no source action with a connection", fix)


def _filters(pipeline: Pipeline, place: str, kind: str, filters: list[Json]) -> Iterator[Finding]:
    if len(filters) > _FILTERS:
        problem = f"{len(filters)} {kind} filters, and {_FILTERS} are allowed"
        yield pipeline.finding("P302", place, problem, "Merge them, or split the pipeline")
    for number, criteria in enumerate(filters, start=1):
        where = f"{place} > {kind} {number}"
        if not any(criteria.get(key) for key in ("Branches", "Tags", "FilePaths", "Events")):
            fix = "Say Branches, Tags or FilePaths, or leave the filter out"
            yield pipeline.finding("P305", where, "the filter filters by nothing", fix)
        if criteria.get("Tags") and (criteria.get("Branches") or criteria.get("FilePaths")):
            fix = "Make two filters of it: a push is of a tag or of a branch"
            yield pipeline.finding("P303", where, "tags stand beside branches or file paths", fix)
        for key in ("Branches", "Tags", "FilePaths"):
            for list_name in ("Includes", "Excludes"):
                globs = listed(mapping(criteria.get(key)).get(list_name))
                if list_name in mapping(criteria.get(key)) and not globs:
                    fix = "Say at least one glob, or leave the list out"
                    yield pipeline.finding("P305", where, f"{key}.{list_name} is empty", fix)
                if list_name in mapping(criteria.get(key)) and not globs:
                    fix = "Say at least one glob, or leave the list out"
                    yield pipeline.finding("P301", where, f"{key}.{list_name} is empty", fix)
                if len(globs) > _GLOBS:
                    problem = f"{len(globs)} globs in {key}.{list_name}, and {_GLOBS} are allowed"
                    yield pipeline.finding("P301", where, problem, "Use a wider glob")
