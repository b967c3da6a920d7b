"""Gathers, writes and publishes the evidence of a release, inside the release pipeline's build."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from environments import tools as tools_file
from pipelines.aws import accounts, build_environment, docs_bucket
from pipelines.build import check_cache, provenance
from pipelines.core.repository import ROOT
from pipelines.definitions.storage import PROVENANCE_KEY
from pipelines.evidence import commits, money_path, page, reports, risks, stack_changes
from pipelines.evidence.evidence import Evidence, Target, text
from pipelines.evidence.reports import Baseline
from templates.capabilities import docs_distribution

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.evidence.commits import Commit

EMERGENCY: Final = "EMERGENCY: past the deployment window."
"""What the second question of a release begins with that did not wait for its window."""
_FIGURES: Final = "figures.json"
"""Beside the page, for the next release to be compared with."""


def gather(built: Path, proven: Path, packages: Path) -> Evidence:
    """Gather the evidence of this release.

    Args:
        built: The artifact of `buildspec.yml`, with its reports.
        proven: The artifact of `money-path.yml`, with its report.
        packages: The artifact of `publish.yml`, with its manifest.

    Raises:
        Refused: A variable is missing, or a change set failed.
        NotGenuine: The release pipeline did not sign this release.
    """
    tools, key = accounts.connect_tools(), build_environment.variable(PROVENANCE_KEY)
    envelope = provenance.read(packages / "dist" / "packages" / provenance.FILE)
    provenance.verify(tools, key, envelope)
    prod, staging = build_environment.looking_at("prod"), build_environment.looking_at("staging")
    execution, change_set = build_environment.variable("EXECUTION"), build_environment.variable("CHANGE_SET")
    pipeline, settings = build_environment.pipeline_name(), tools_file.load()
    released = commits.since_last_release(tools, pipeline, execution)
    names = (prod.environment.network_stack, prod.environment.default_stack)
    stacks = [stack_changes.read(prod, name, change_set) for name in names]
    tests = reports.tests(built / "reports" / "tests.xml")
    return Evidence(
        commit=build_environment.variable("COMMIT"),
        execution=execution,
        at=datetime.now(UTC),
        stacks=stacks,
        risks=risks.assess(stacks),
        tests=tests,
        coverage=reports.coverage(built / "reports" / "coverage.xml"),
        smoke=reports.smoke_of(staging, build_environment.variable("STAGING_SMOKE")),
        commits=released,
        baseline=_baseline(tools, released),
        target=Target(
            settings.repository,
            prod.environment.name,
            prod.environment.account,
            settings.region,
            pipeline,
            tools.endpoint or "",
        ),
        drift=[stack_changes.detect_drift(prod, name) for name in names],
        digests=provenance.subjects_of(envelope),
        dollars=stack_changes.fixed_cost(stacks),
        money_path=money_path.read(proven),
        not_run=reports.not_run(
            ROOT / "tests", built / "reports" / "tests.xml", proven / "reports" / money_path.FILE
        ),
        checked=check_cache.read(built / "reports"),
        emergency=past_window(tools, pipeline, execution),
    )


def past_window(tools: Aws, pipeline: str, execution: str, stage: str = "Verify") -> bool:
    """Return whether somebody overrode the deployment window of an execution that was in this stage last."""
    states = tools.client("codepipeline").get_pipeline_state(name=pipeline)["stageStates"]
    state: dict[str, Any] = next((each for each in states if each["stageName"] == stage), {})
    condition = state.get("beforeEntryConditionState", {}).get("latestExecution", {})
    inside = state.get("latestExecution", {}).get("pipelineExecutionId") == execution
    return bool(inside and condition.get("status") == "Overridden")


def _baseline(tools: Aws, released: Sequence[Commit]) -> Baseline | None:
    """Return the figures of the release that production runs; none where none was released, or kept any."""
    last = next((commit.execution for commit in released if commit.released), "")
    if not last:
        return None
    try:
        figures = json.loads(docs_bucket.read(tools, f"{docs_distribution.EVIDENCE}{last}/{_FIGURES}"))
        return Baseline(int(figures["tests"]), figures["coverage"])
    except (ClientError, ValueError, KeyError, TypeError):
        return None  # released before figures were kept; the page says that there is nothing to compare with


def figures_of(evidence: Evidence) -> dict[str, float | None]:
    """Return what the next release is compared with: `tests` that passed and `coverage` from 0 to 1."""
    tests = evidence.tests
    return {"tests": tests.ran - len(tests.failed) if tests else 0, "coverage": evidence.coverage}


def write(evidence: Evidence, folder: Path) -> None:
    """Write the page, the approval's few lines, and smoke as JUnit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page.html(evidence), encoding="utf-8")
    (folder / _FIGURES).write_text(json.dumps(figures_of(evidence)), encoding="utf-8")
    (folder / "summary.txt").write_text(text(evidence) + "\n", encoding="utf-8")
    junit = reports.junit(evidence.smoke, "smoke.staging")
    (folder / "smoke.xml").write_text(junit, encoding="utf-8")


def publish(evidence: Evidence, folder: Path, packages: Path) -> str:
    """Upload the page and, beside it, the signed provenance to the docs bucket; return the page's address."""
    place, tools = f"{docs_distribution.EVIDENCE}{evidence.execution}", accounts.connect_tools()
    signed = packages / "dist" / "packages" / provenance.FILE
    docs_bucket.upload(tools, signed, f"{place}/{provenance.FILE}")
    docs_bucket.upload(tools, folder / _FIGURES, f"{place}/{_FIGURES}")
    docs_bucket.upload(tools, folder / "index.html", f"{place}/index.html")
    return f"{build_environment.variable('DOCS_URL')}/{place}/index.html"
