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

from pipelines.supply_chain import locked
from pipelines.supply_chain.verdict import CannotCheck, Verdict, judged

OSV: Final = "https://api.osv.dev/v1/query"
ACCEPTED: Final[dict[str, str]] = {}
"""Advisories that do not concern us: the id, and why not. One that no package has any more is a finding."""


def check(root: Path, service: str = OSV) -> Verdict:
    """Ask about every package of every lock.

    Args:
        root: The repository.
        service: Where to ask, as OSV answers.

    Raises:
        CannotCheck: The service did not answer, or not about every package.
    """
    asked = {(one.name, one.version) for project in locked.PROJECTS for one in locked.packages(root, project)}
    answers = [answer for batch in _apart(asked) for answer in _ask(batch, service)]
    skipped = sorted(one["name"] for one in answers if "skip_reason" in one)
    silent = sorted({name for name, _ in asked} - {one["name"] for one in answers})
    if skipped or silent:
        raise CannotCheck(f"{service} did not answer about {', '.join([*skipped, *silent])}")
    known = {(one["name"], one["version"], each["id"]): each for one in answers for each in one["vulns"]}
    found = [
        f"{name} {version}: {advisory}, mended in {', '.join(each['fix_versions']) or 'no version'}"
        for (name, version, advisory), each in known.items()
        if advisory not in ACCEPTED
    ]
    gone = set(ACCEPTED) - {advisory for _, _, advisory in known}
    found += [f"{advisory} is accepted and concerns no package any more" for advisory in gone]
    return judged(f"{len(asked)} packages, asked of {service}", found, {"accepted": ACCEPTED})


def _apart(asked: set[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Several lists where a package is asked about in several versions: a list names each once."""
    lists: list[dict[str, str]] = []
    for name, version in sorted(asked):
        free = next((one for one in lists if name not in one), None)
        if free is None:
            lists.append(free := {})
        free[name] = version
    return [list(one.items()) for one in lists]


def _ask(packages: list[tuple[str, str]], service: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        listing = Path(place) / "requirements.txt"
        listing.write_text("".join(f"{name}=={version}\n" for name, version in packages))
        quiet = ["--format", "json", "--progress-spinner", "off", "--desc", "off"]
        asking = ["--vulnerability-service", "osv", "--osv-url", service, "--timeout", "15"]
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
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
        # It ends with 1 when it found something, too, and has then said what.
        answered: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotCheck(f"{service} could not be asked: {last}") from error
    return answered
