"""Whether a security reviewer's tool finds something unexplained in a template: checkov on every one of ours.

checkov pins an old boto3, so it has an environment of its own (`tests/checkov`), and it asks nobody: no rules
are downloaded. An exception stands in the resource's Metadata with its reason
(`templates/capabilities/lint_exceptions.py`), or it is a finding.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import CACHE, ROOT
from pipelines.supply_chain.verdict import CannotCheck, Outcome, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOV: Final = ROOT / ".cache" / "checkov" / "bin" / "checkov"


def check(templates: Mapping[str, Any], notes: Path = CACHE / "checkov-passed") -> Verdict:
    """Run every rule of checkov's on these templates; the verdict on ones that passed before is kept.

    Args:
        templates: Each by a label for findings, as `prod/payments`.
        notes: A folder where it is noted which templates passed.

    Raises:
        CannotCheck: It is not installed, or did not run.
    """
    kept = notes / f"{_digest(templates)}.json"
    if kept.exists():
        known = json.loads(kept.read_text())
        return judged(known["said"], (), known["details"])
    verdict = _judge(templates)
    if verdict.outcome is Outcome.PASSED:
        notes.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"said": verdict.said, "details": verdict.details}))
    return verdict


def _digest(templates: Mapping[str, Any]) -> str:
    said = json.dumps(templates, sort_keys=True).encode() + (ROOT / "tests/checkov/uv.lock").read_bytes()
    return hashlib.sha256(said + Path(__file__).read_bytes()).hexdigest()


def _judge(templates: Mapping[str, Any]) -> Verdict:
    if not CHECKOV.exists():
        raise CannotCheck("checkov is not installed; run `make checkov`")
    with tempfile.TemporaryDirectory() as place:
        files = {f"/{label.replace('/', '-')}.json": label for label in templates}
        for file, label in files.items():
            (Path(place) / file[1:]).write_text(json.dumps(templates[label], indent=1))
        told = _run(place)
    results, summary = told["results"], told["summary"]
    if summary["parsing_errors"]:
        raise CannotCheck(f"checkov cannot read {', '.join(results['parsing_errors'])}")
    explained = {
        f"{files[one['file_path']]}: {one['check_id']} {one['resource']}": one["check_result"].get(
            "suppress_comment", ""
        )
        for one in results["skipped_checks"]
    }
    found = [f"{_shown(one, files)} {one['check_name']}" for one in results["failed_checks"]]
    found += [f"{place} is skipped without a reason" for place, reason in explained.items() if not reason]
    said = (
        f"{summary['passed']} passed, {summary['failed']} failed, {summary['skipped']} explained, "
        f"in {len(files)} templates, by checkov {summary['checkov_version']}"
    )
    return judged(said, found, {"explained": explained})


def ours() -> dict[str, Any]:
    """Every template of this repository by its label."""
    from pipelines.lint import repository_templates  # noqa: PLC0415 - loads troposphere, which other checks need not

    return {
        label: template
        for name in repository_templates.every()
        for label, template in repository_templates.of(name)[0].items()
    }


def _shown(one: Mapping[str, Any], files: Mapping[str, str]) -> str:
    return f"{files[one['file_path']]}: {one['resource'].rpartition('.')[2]}: {one['check_id']}"


def _run(place: str) -> dict[str, Any]:
    command = [str(CHECKOV), "--directory", place, "--framework", "cloudformation", "--output", "json"]
    # --skip-download: it would ask its maker's service for the severity of rules.
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [*command, "--compact", "--skip-download"], capture_output=True, text=True, check=False
    )
    try:
        told: dict[str, Any] = json.loads(done.stdout)
        return told | {"results": told["results"], "summary": told["summary"]}
    except (ValueError, KeyError) as error:
        raise CannotCheck(f"checkov did not run: {done.stderr.strip()[-500:]}") from error
