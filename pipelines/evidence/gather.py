"""Gathers, writes and publishes the evidence of a release, inside the release pipeline's build."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.aws import build_environment, docs_bucket, tools_account
from pipelines.build import check_cache, provenance
from pipelines.core import docs_folders
from pipelines.core.repository import ROOT
from pipelines.definitions.keys import PROVENANCE_KEY
from pipelines.evidence import (
    commits,
    drift,
    page,
    reports,
    risks,
    stack_changes,
)
from pipelines.evidence.evidence import Evidence, text

if TYPE_CHECKING:
    from pathlib import Path


def gather(built: Path, packages: Path) -> Evidence:
    """Gather the evidence of this release.

    Args:
        built: The artifact of `buildspec.yml`, with its reports.
        packages: The artifact of `publish.yml`, with its manifest.

    Raises:
        Refused: A variable is missing, or a change set failed.
        NotGenuine: The release pipeline did not sign this release.
    """
    tools, key = tools_account.connect(), build_environment.variable(PROVENANCE_KEY)
    envelope = provenance.read(packages / "dist" / "packages" / provenance.FILE)
    provenance.verify(tools, key, envelope)
    prod, staging = build_environment.looking_at("prod"), build_environment.looking_at("staging")
    execution, change_set = build_environment.variable("EXECUTION"), build_environment.variable("CHANGE_SET")
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
        commits=commits.since_last_release(tools, build_environment.pipeline_name(), execution),
        drift=[drift.detect(prod, name) for name in names],
        digests=provenance.subjects_of(envelope),
        dollars=stack_changes.fixed_cost(stacks),
        not_run=[name for name in reports.folders(ROOT / "tests") if tests and name not in tests.folders],
        checked=check_cache.read(built / "reports"),
    )


def write(evidence: Evidence, folder: Path) -> None:
    """Write the page, the approval's few lines, and smoke as JUnit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page.html(evidence), encoding="utf-8")
    (folder / "summary.txt").write_text(text(evidence) + "\n", encoding="utf-8")
    junit = reports.junit(evidence.smoke, "smoke.staging")
    (folder / "smoke.xml").write_text(junit, encoding="utf-8")


def publish(evidence: Evidence, folder: Path, packages: Path) -> str:
    """Upload the page and, beside it, the signed provenance to the docs bucket; return the page's address."""
    place, tools = f"{docs_folders.EVIDENCE}{evidence.execution}", tools_account.connect()
    signed = packages / "dist" / "packages" / provenance.FILE
    docs_bucket.upload(tools, signed, f"{place}/{provenance.FILE}")
    docs_bucket.upload(tools, folder / "index.html", f"{place}/index.html")
    return f"{build_environment.variable('DOCS_URL')}/{place}/index.html"
