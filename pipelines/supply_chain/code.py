"""Static analysis of our own code: ruff's security rules, hadolint, and every exception's reason.

ruff's S are bandit's checks, in a hundredth of its time; bandit itself found nothing more here. Shell needs
no analysis of its own: buildspecs call make and payments alone, which tests hold them to.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDERS: Final = ("environments", "lambdas", "pipelines", "templates", "tests")
_RULES: Final = ("S", "PLE", "BLE", "PGH", "DTZ")
"""Security; errors, as bidirectional text; blind excepts; evals and blanket suppressions; naive times."""
_DOCKERFILE: Final = "lambdas/Dockerfile"
_SUPPRESSED: Final = re.compile(r"#\s*noqa:\s*(?P<rules>[A-Z0-9, ]*\bS\d+[A-Z0-9, ]*)(?P<reason>.*)$")
_REASONED: Final = re.compile(r"^\s*-\s+\S")


def check(root: Path) -> CheckResult:
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
