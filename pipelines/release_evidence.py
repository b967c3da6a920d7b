"""Writes down what an approver decides about, from what the release pipeline told this build."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines import checked, in_build, packaging, site_bucket, tools_account
from pipelines.evidence import (
    commits,
    drift,
    page,
    prices,
    reports,
    risks,
    stack_changes,
    summary,
)
from pipelines.evidence.gather import Evidence
from pipelines.payment_stack import default_stack
from pipelines.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def gather(built: Path, packages: Path) -> Evidence:
    """Gather the evidence of this release.

    Args:
        built: The artifact of `buildspec.yml`, with its reports.
        packages: The artifact of `publish.yml`, with its manifest.

    Raises:
        Refused: A variable is missing, or a change set failed.
    """
    prod, staging = in_build.looking_at("prod"), in_build.looking_at("staging")
    execution, change_set = in_build.told("EXECUTION"), in_build.told("CHANGE_SET")
    names = (prod.environment.network_stack, default_stack(prod.environment))
    stacks = [stack_changes.read(prod, name, change_set) for name in names]
    manifest = packaging.read_manifest(packages / "dist" / "packages")
    tests = reports.tests(built / "reports" / "tests.xml")
    return Evidence(
        commit=in_build.told("COMMIT"),
        execution=execution,
        at=datetime.now(UTC),
        stacks=stacks,
        risks=risks.of(stacks),
        tests=tests,
        coverage=reports.coverage(built / "reports" / "coverage.xml"),
        smoke=reports.smoke_of(staging, in_build.told("STAGING_SMOKE")),
        commits=commits.since_last_release(tools_account.connect(), in_build.pipeline_name(), execution),
        drift=[drift.detect(prod, name) for name in names],
        digests={name: package.sha256 for name, package in manifest.items()},
        dollars=prices.difference(stacks),
        not_run=[name for name in reports.folders(ROOT / "tests") if tests and name not in tests.folders],
        checked=checked.read(built / "reports"),
    )


def write(evidence: Evidence, folder: Path) -> None:
    """Write the page, the approval's few lines, and smoke as JUnit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page.html(evidence), encoding="utf-8")
    (folder / "summary.txt").write_text(summary.text(evidence) + "\n", encoding="utf-8")
    junit = reports.junit(evidence.smoke, "smoke.staging")
    (folder / "smoke.xml").write_text(junit, encoding="utf-8")


def publish(evidence: Evidence, folder: Path) -> str:
    """Upload the page to the docs bucket and return its address."""
    place = f"{site_bucket.EVIDENCE}{evidence.execution}"
    site_bucket.upload(tools_account.connect(), folder / "index.html", f"{place}/index.html")
    return f"{in_build.told('DOCS_URL')}/{place}/index.html"
