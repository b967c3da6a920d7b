"""Static analysis by others' tools: ruff and hadolint on our code, checkov on every template of ours.

ruff's S are bandit's checks, in a hundredth of its time; bandit itself found nothing more here. Shell needs
no analysis of its own: buildspecs call make and payments alone, which tests hold them to.

checkov pins an old boto3, so it has an environment of its own (`tests/checkov`), and it asks nobody: no rules
are downloaded. An exception from a rule is written beside what it excuses with its reason
(`templates/capabilities/lint_exceptions.py` for templates), or it is a finding.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import CACHE, ROOT
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, CheckStatus, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDERS: Final = ("environments", "lambdas", "pipelines", "templates", "tests")
_RULES: Final = ("S", "PLE", "BLE", "PGH", "DTZ")
"""Security; errors, as bidirectional text; blind excepts; evals and blanket suppressions; naive times."""
_DOCKERFILE: Final = "lambdas/Dockerfile"
_SUPPRESSED: Final = re.compile(r"#\s*noqa:\s*(?P<rules>[A-Z0-9, ]*\bS\d+[A-Z0-9, ]*)(?P<reason>.*)$")
_REASONED: Final = re.compile(r"^\s*-\s+\S")


def check_code(root: Path) -> CheckResult:
    """Analyse every Python file and the Dockerfile.

    Raises:
        CannotCheck: A tool did not run.
    """
    findings = [*_ruff(root), *_hadolint(root)]
    suppressed = list(_suppressions(root))
    findings += [
        f"{place}: an exception from {rules} without its reason"
        for place, rules, why in suppressed
        if not why
    ]
    explained = {place: f"{rules}{why}" for place, rules, why in suppressed if why}
    return result_of(
        f"ruff's {', '.join(_RULES)}, hadolint, and {len(suppressed)} exceptions with their reasons",
        findings,
        {"exceptions": explained},
    )


def _ruff(root: Path) -> Iterator[str]:
    select = ["--select", ",".join(_RULES)]
    report = _run(
        root, "ruff", "check", "--no-cache", "--exit-zero", *select, "--output-format", "json", *_FOLDERS
    )
    for violation in json.loads(report):
        place = Path(violation["filename"])
        shown = place.relative_to(root) if place.is_relative_to(root) else place
        yield f"{shown}:{violation['location']['row']}: {violation['code']} {violation['message']}"


def _hadolint(root: Path) -> Iterator[str]:
    if not (root / _DOCKERFILE).exists():
        return
    violations: list[dict[str, Any]] = json.loads(
        _run(root, "hadolint", "--no-fail", "--format", "json", _DOCKERFILE)
    )
    for violation in violations:
        yield f"{_DOCKERFILE}:{violation['line']}: {violation['code']} {violation['message']}"


def _suppressions(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, rules and reason of each exception from a security rule."""
    for path in sorted(file for folder in _FOLDERS for file in (root / folder).rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if suppression := _SUPPRESSED.search(line):
                reason = suppression["reason"] if _REASONED.match(suppression["reason"]) else ""
                yield f"{path.relative_to(root)}:{number}", suppression["rules"].strip(), reason.rstrip()


def _run(root: Path, tool: str, *arguments: str) -> str:
    try:
        completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [Path(sys.executable).with_name(tool), *arguments],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CannotCheck(f"{tool} is not installed") from error
    if completed.returncode:
        raise CannotCheck(f"{tool} did not run: {(completed.stderr or completed.stdout).strip()}")
    return completed.stdout


CHECKOV: Final = ROOT / ".cache" / "checkov" / "bin" / "checkov"


def check_templates(templates: Mapping[str, Any], notes: Path = CACHE / "checkov-passed") -> CheckResult:
    """Run every checkov rule on these templates, unless exactly these passed before.

    Args:
        templates: Each by a label for findings, as `prod/payments`.
        notes: A folder where it is noted which templates passed.

    Raises:
        CannotCheck: It is not installed, or did not run.
    """
    kept = notes / f"{_digest(templates)}.json"
    if kept.exists():
        earlier = json.loads(kept.read_text())
        return result_of(earlier["summary"], (), earlier["details"])
    result = _run_checkov(templates)
    if result.status is CheckStatus.PASSED:
        notes.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"summary": result.summary, "details": result.details}))
    return result


def _digest(templates: Mapping[str, Any]) -> str:
    inputs = json.dumps(templates, sort_keys=True).encode() + (ROOT / "tests/checkov/uv.lock").read_bytes()
    return hashlib.sha256(inputs + Path(__file__).read_bytes()).hexdigest()


def _run_checkov(templates: Mapping[str, Any]) -> CheckResult:
    if not CHECKOV.exists():
        raise CannotCheck("checkov is not installed; run `make checkov`")
    with tempfile.TemporaryDirectory() as place:
        files = {f"/{label.replace('/', '-')}.json": label for label in templates}
        for file, label in files.items():
            (Path(place) / file[1:]).write_text(json.dumps(templates[label], indent=1))
        report = _report_of(place)
    results, counts = report["results"], report["summary"]
    if counts["parsing_errors"]:
        raise CannotCheck(f"checkov cannot read {', '.join(results['parsing_errors'])}")
    explained = {
        f"{files[check['file_path']]}: {check['check_id']} {check['resource']}": check["check_result"].get(
            "suppress_comment", ""
        )
        for check in results["skipped_checks"]
    }
    findings = [f"{_place(check, files)} {check['check_name']}" for check in results["failed_checks"]]
    findings += [f"{place} is skipped without a reason" for place, reason in explained.items() if not reason]
    summary = (
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} explained, "
        f"in {len(files)} templates, by checkov {counts['checkov_version']}"
    )
    return result_of(summary, findings, {"explained": explained})


def of_repository() -> dict[str, Any]:
    """Return every template of this repository by its label, as `prod/payments`."""
    from pipelines.lint import repository_templates  # noqa: PLC0415 - loads troposphere, which other checks need not

    return {
        label: template
        for name in repository_templates.names()
        for label, template in repository_templates.by_label(name)[0].items()
    }


def _place(check: Mapping[str, Any], files: Mapping[str, str]) -> str:
    return f"{files[check['file_path']]}: {check['resource'].rpartition('.')[2]}: {check['check_id']}"


def _report_of(place: str) -> dict[str, Any]:
    command = [str(CHECKOV), "--directory", place, "--framework", "cloudformation", "--output", "json"]
    # --skip-download: it would ask its maker's service for the severity of rules.
    completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [*command, "--compact", "--skip-download"], capture_output=True, text=True, check=False
    )
    try:
        report: dict[str, Any] = json.loads(completed.stdout)
        return report | {"results": report["results"], "summary": report["summary"]}
    except (ValueError, KeyError) as error:
        raise CannotCheck(f"checkov did not run: {completed.stderr.strip()[-500:]}") from error
