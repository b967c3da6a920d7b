"""Whether a package that we lock is known to be vulnerable: pip-audit, asking OSV.

OSV holds PyPI's advisories and GitHub's. pip-audit calls a package that its service does not know `skipped`
and ends well all the same; here that is no answer, and neither is a service that does not answer.

Source: pip-audit, "Exit codes"; OSV, "POST /v1/query".
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from pipelines.supply_chain import inventory
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

OSV: Final = "https://api.osv.dev/v1/query"
ACCEPTED: Final[dict[str, str]] = {}
"""Advisories that do not concern us: the id, and why not. One that no package has any more is a finding."""


def check(root: Path, service: str = OSV) -> CheckResult:
    """Ask the service about every package of every lock.

    Args:
        root: The repository.
        service: Where to ask, as OSV answers.

    Raises:
        CannotCheck: The service did not answer, or not about every package.
    """
    asked = {
        (package.name, package.version)
        for project in inventory.PROJECTS
        for package in inventory.packages(root, project)
    }
    answers = [answer for batch in _batches(asked) for answer in _ask(batch, service)]
    skipped = sorted(answer["name"] for answer in answers if "skip_reason" in answer)
    silent = sorted({name for name, _ in asked} - {answer["name"] for answer in answers})
    if skipped or silent:
        raise CannotCheck(f"{service} did not answer about {', '.join([*skipped, *silent])}")
    advisories = {
        (answer["name"], answer["version"], advisory["id"]): advisory
        for answer in answers
        for advisory in answer["vulns"]
    }
    findings = [
        f"{name} {version}: {advisory_id}, fixed in {', '.join(advisory['fix_versions']) or 'no version'}"
        for (name, version, advisory_id), advisory in advisories.items()
        if advisory_id not in ACCEPTED
    ]
    stale = set(ACCEPTED) - {advisory_id for _, _, advisory_id in advisories}
    findings += [f"{advisory_id} is accepted and concerns no package any more" for advisory_id in stale]
    return result_of(f"{len(asked)} packages, asked of {service}", findings, {"accepted": ACCEPTED})


def _batches(asked: set[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return the packages in batches, none of which names a package in two versions."""
    batches: list[dict[str, str]] = []
    for name, version in sorted(asked):
        batch = next((batch for batch in batches if name not in batch), None)
        if batch is None:
            batches.append(batch := {})
        batch[name] = version
    return [list(batch.items()) for batch in batches]


def _ask(packages: list[tuple[str, str]], service: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        listing = Path(place) / "requirements.txt"
        listing.write_text("".join(f"{name}=={version}\n" for name, version in packages))
        quiet = ["--format", "json", "--progress-spinner", "off", "--desc", "off"]
        asking = ["--vulnerability-service", "osv", "--osv-url", service, "--timeout", "15"]
        completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [
                Path(sys.executable).with_name("pip-audit"),
                *["--no-deps", "--disable-pip", "--requirement", str(listing)],
                *quiet,
                *asking,
                *["--cache-dir", place],
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        # It also exits with 1 when there are advisories, and has then printed them.
        dependencies: list[dict[str, Any]] = json.loads(completed.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        last = (completed.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise CannotCheck(f"{service} could not be asked: {last}") from error
    return dependencies
