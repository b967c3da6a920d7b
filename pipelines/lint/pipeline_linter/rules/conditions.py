"""P701 to P707: results that a condition cannot have, and conditions where none may be.

Source: CodePipeline user guide, "How do stage conditions work?", "Stage rollback", "Stage retry" and the
notes of the rule structure reference; API reference, FailureConditions and Condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.values import literal, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline, Stage

_RESULTS: Final = {
    "BeforeEntry": ("P702", {"FAIL", "SKIP"}),
    "OnSuccess": ("P701", {"FAIL", "ROLLBACK"}),
    "OnFailure": ("P703", {"FAIL", "RETRY", "ROLLBACK"}),
}
_RETRIES: Final = {"ALL_ACTIONS", "FAILED_ACTIONS"}
_SKIPPING: Final = {"LambdaInvoke", "VariableCheck"}
_SECONDS_FIRST: Final = {6, 7}

RULES: Final = {
    "P701": Rule("a success condition with a result other than FAIL or ROLLBACK", "Choose one of these"),
    "P702": Rule("an entry condition with a result other than FAIL or SKIP", "Choose one of these"),
    "P703": Rule(
        "a failure condition with a result other than FAIL, RETRY or ROLLBACK", "Choose one of these"
    ),
    "P704": Rule(
        "a RetryConfiguration without the result RETRY, or with a mode that does not exist",
        "Say `Result: RETRY` and ALL_ACTIONS or FAILED_ACTIONS",
    ),
    "P705": Rule("conditions around the source stage", "Put them around a later stage"),
    "P706": Rule(
        "a deployment window whose cron expression has not six or seven fields",
        "Write seconds (`*`), minutes, hours, day, month, weekday and maybe year",
    ),
    "P707": Rule(
        "a rule that an entry condition with the result SKIP may not have",
        "Use LambdaInvoke or VariableCheck, or let the stage fail: it can be retried",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong around the pipeline's stages."""
    for stage in pipeline.stages:
        for condition in stage.conditions():
            result = literal(condition.raw.get("Result"))
            yield from _result(pipeline, condition.place, condition.when, result)
            for place, provider, rule in condition.rules():
                if result == "SKIP" and provider in set(providers.RULES) - _SKIPPING:
                    fix = f"Use {' or '.join(sorted(_SKIPPING))}, or let the stage fail: it can be retried"
                    yield pipeline.finding("P707", place, f"a condition that skips takes no {provider}", fix)
                cron = literal(mapping(rule.get("Configuration")).get("Cron"))
                if cron is not None and len(cron.split()) not in _SECONDS_FIRST:
                    fix = "Write seconds (*), minutes, hours, day, month, weekday and maybe year"
                    yield pipeline.finding("P706", place, f"Cron {cron!r} has not 6 or 7 fields", fix)
        result = literal(stage.on_failure.get("Result"))
        yield from _result(pipeline, f"{stage.place} > OnFailure", "OnFailure", result)
        yield from _retry(pipeline, stage)
        if stage.index == 0 and any(stage.raw.get(when) for when in _RESULTS):
            fix = "Put the condition around a later stage"
            refused = "BeforeEntry" in stage.raw or "ROLLBACK" in _results(stage)
            level = Level.ERROR if refused else Level.WARNING  # the guide speaks of these two alone
            yield pipeline.finding("P705", stage.place, "the source stage can have no conditions", fix, level)


def _results(stage: Stage) -> list[str | None]:
    conditions = [literal(condition.raw.get("Result")) for condition in stage.conditions()]
    return [literal(stage.on_failure.get("Result")), *conditions]


def _result(pipeline: Pipeline, place: str, when: str, result: str | None) -> Iterator[Finding]:
    rule, known = _RESULTS[when]
    if result is not None and result not in known:
        fix = f"Choose from {', '.join(sorted(known))}"
        yield pipeline.finding(rule, place, f"{when} cannot have the result {result}", fix)


def _retry(pipeline: Pipeline, stage: Stage) -> Iterator[Finding]:
    if "RetryConfiguration" not in stage.on_failure:
        return
    mode = literal(mapping(stage.on_failure["RetryConfiguration"]).get("RetryMode"))
    result = text(stage.on_failure.get("Result"))
    if result is not None and result != "RETRY" and "${" not in result:
        fix = "Say Result: RETRY, or leave RetryConfiguration out"
        yield pipeline.finding("P704", stage.place, "RetryConfiguration without the result RETRY", fix)
    if mode is not None and mode not in _RETRIES:
        fix = f"Choose from {', '.join(sorted(_RETRIES))}"
        yield pipeline.finding("P704", stage.place, f"RetryMode {mode} does not exist", fix)
