"""The checks that the release pipeline runs, each in a build: what CHECK names is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from environments import schema
from pipelines.aws import accounts, build_environment
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST
from pipelines.definitions.storage import PROVENANCE_KEY
from pipelines.deploy import embedded_overrides, payment_methods
from pipelines.evidence import answers, gather
from pipelines.promotion import records, running_stack, verification

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.promotion.records import Run

VARIABLE: Final = "CHECK"
"""The environment variable that says which check a build runs."""
RECORD, APPROVED, APPROVED_AGAIN = "record", "approved", "approved-again"
PREPARED, RUNNING = "prepared", "running"
MOVED: Final = "moved.txt"
SUMMARY: Final = "summary.txt"
_UNMOVED: Final = "This is what staging ran and what was approved, and production is as it was then."
_PRODUCTION: Final = "Production"
_AGAIN: Final = "ApproveAgain"
_EMERGENCY: Final = f"{gather.EMERGENCY} Whoever approves says why."
_LONGEST_VALUE: Final = 1000
"""Characters of a pipeline variable (CodePipeline quotas)."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The artifacts that a check reads: those of Publish and of Build."""

    packages: Path
    built: Path


def run(artifacts: Artifacts) -> str:
    """Run the check that CHECK names and return what it found, in a sentence.

    Raises:
        Refused: The check failed, or CHECK names none.
    """
    check = build_environment.variable(VARIABLE)
    if check not in _CHECKS:
        raise Refused(f"{VARIABLE} is {check!r}, and there are {', '.join(_CHECKS)}.")
    tools = accounts.connect_tools()
    key = build_environment.variable(PROVENANCE_KEY)
    release = verification.read_release(tools, key, artifacts.packages, artifacts.built)
    folder = DIST / "record"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("digest.txt", MOVED, SUMMARY):
        (folder / name).write_text("none\n")  # a variable of a pipeline has at least one character
    return _CHECKS[check](tools, release, artifacts)


def _record(tools: Aws, release: verification.Release, artifacts: Artifacts) -> str:
    """Record what staging runs, in the execution that smokes it."""
    del tools, artifacts
    staging = build_environment.looking_at("staging")
    running = running_stack.read(staging, staging.environment.default_stack)
    verification.check_staging(release, running, embedded_overrides.environment(staging.environment))
    digest = records.write({"staging": running})
    return f"Staging runs this release; {len(running)} digests and settings are recorded as {digest}."


def _approved(tools: Aws, release: verification.Release, artifacts: Artifacts, *, again: bool = False) -> str:
    """Check an approved release against its own records, and say whether it has to be asked about again.

    It has to be where production moved since, and where somebody took it past the deployment window: then who
    approves says why, and CodePipeline keeps both with the execution.
    """
    pipeline, execution = build_environment.pipeline_name(), build_environment.variable("EXECUTION")
    inside = records.run_in(tools, pipeline, _PRODUCTION)
    _check_staging(tools, release, pipeline, execution)
    review = records.read(tools, pipeline, execution, records.REVIEW)
    moved = verification.check_review(build_environment.looking_at("prod"), release, review, artifacts.built)
    if inside is not None and inside.under_way:  # it began after our turn had come
        moved.append(f"execution {inside.execution} is in production's stage")
    lines = ["Production changed since the approval, so it is asked for again:", *moved] if moved else []
    if not again and gather.past_window(tools, pipeline, execution):
        lines.insert(0, _EMERGENCY)
    if not lines:
        return _UNMOVED
    folder = DIST / "record"
    (folder / MOVED).write_text("yes\n")
    summary = "\n".join(lines)
    (folder / SUMMARY).write_text(summary[:_LONGEST_VALUE] + "\n")
    return summary


def _approved_again(tools: Aws, release: verification.Release, artifacts: Artifacts) -> str:
    """Check a release that was approved for the second time; a third time has to be asked for by a person."""
    pipeline, execution = build_environment.pipeline_name(), build_environment.variable("EXECUTION")
    reasons = [each.why for each in records.answers(tools, pipeline, execution) if each.stage == _AGAIN]
    if gather.past_window(tools, pipeline, execution) and not (reasons and reasons[-1]):
        raise Refused(
            "Production was not changed. This release is past its deployment window, and nobody said why.",
            "Ask again, and say why: payments pipeline retry release --whole",
        )
    answer = _approved(tools, release, artifacts, again=True)
    if answer != _UNMOVED:
        raise Refused(
            f"Production was not changed. {answer}", "Ask again: payments pipeline retry release --whole"
        )
    return answer


def _prepared(tools: Aws, release: verification.Release, artifacts: Artifacts) -> str:
    """Check what is about to be executed, in the stage that executes it."""
    pipeline, current = build_environment.pipeline_name(), _in_production(tools)
    _check_staging(tools, release, pipeline, current.release)
    review = records.read(tools, pipeline, current.release, records.REVIEW)
    prod = build_environment.looking_at("prod")
    change_set = build_environment.variable("PREPARED")
    verification.check_review(prod, release, review, artifacts.built)
    verification.check_prepared(prod, review, change_set, rollback=current.rollback)
    if current.failed and not records.executed(tools, pipeline, current.failed, _PRODUCTION):
        # An automatic rollback goes to the last success, not to what a person went back to meanwhile.
        verification.check_unchanged(prod, change_set)
        return f"Execution {current.failed} had changed nothing, and nothing is taken back."
    payment_methods.check_release(prod, prod.environment.default_stack)
    if current.rollback:
        return f"This goes back to what was approved in execution {current.release}."
    return f"The prepared change sets are the approved ones. {_completed(tools, pipeline, current.release)}"


def _completed(tools: Aws, pipeline: str, execution: str) -> str:
    """Complete the evidence with who approved and why; a docs site that is out keeps no release back."""
    try:
        answers.publish(tools, execution, records.answers(tools, pipeline, execution))
    except ClientError as error:
        return f"The evidence does not say who approved them: {error}."
    return "The evidence says who approved them, and why."


def _running(tools: Aws, release: verification.Release, artifacts: Artifacts) -> str:
    """Check what production runs, after it was deployed."""
    del release, artifacts
    pipeline, current = build_environment.pipeline_name(), _in_production(tools)
    recorded = records.read(tools, pipeline, current.release, records.RECORD_STAGING)
    verification.check_running(build_environment.looking_at("prod"), recorded["staging"])
    return f"Production runs what staging ran in execution {current.release}."


def _check_staging(tools: Aws, release: verification.Release, pipeline: str, execution: str) -> None:
    recorded: dict[str, Any] = records.read(tools, pipeline, execution, records.RECORD_STAGING)
    environment = embedded_overrides.environment(schema.load("staging"))
    verification.check_staging(release, recorded["staging"], environment)


def _in_production(tools: Aws) -> Run:
    current = records.run_in(tools, build_environment.pipeline_name(), _PRODUCTION)
    if current is None:
        raise Refused(f"Nothing is in the stage {_PRODUCTION}.")
    return current


_CHECKS: Final[dict[str, Callable[[Aws, verification.Release, Artifacts], str]]] = {
    RECORD: _record,
    APPROVED: _approved,
    APPROVED_AGAIN: _approved_again,
    PREPARED: _prepared,
    RUNNING: _running,
}
