"""Writes the page of the threat model from the rows: `python -m tests.hostile.threat_model`."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import ROOT
from tests.hostile.attempts import ATTEMPTS, CONTAINED
from tests.hostile.mutants import MUTANTS, SHARING
from tests.hostile.protections import PROTECTIONS

if TYPE_CHECKING:
    from tests.hostile.attempt import Attempt

PAGE: Final = ROOT / "docs/how-it-works/threat-model.md"
OUTCOMES: Final = Path(__file__).with_name("outcomes.json")
"""What AWS answered to each attempt in the last whole run (`make hostile`), by attempt and mode."""
APART: Final = "accounts apart"
ONE: Final = "one account"
MODES: Final = (APART, ONE)
"""Whether each environment and the pipelines have an account of their own, or all share one."""
# Lines of the page are as long as those of other pages.
# ruff: noqa: E501
_BEFORE: Final = """\
# Threat model

What somebody tries who can push a branch and nothing else, what refuses it, and how somebody would notice. The branch is
hostile: its `buildspec.yml` and the buildspecs of its other builds run what they like, as those builds' roles, and know every
name, key and token there is.

{count} attempts are made three times each, by the three builds of the branch pipeline, while a release waits for its approval
(`make hostile`, on the embedded AWS): once with an account for each environment, and once with one account for all. Before and
after, everything that a release is made of is compared; then the release is approved, and production's digests are compared with
staging's. `make test` judges the same rows by the policies of the template, gives each of {mutants} permissions and shared
resources back to see that the rows notice, and holds that each role that there is has a row. Beside them `make hostile` takes away
each of {protections} checks in the code, in a copy of the tree, and runs the tests that have to notice it; and changes bytes in
every place between Build and production: caches, store, artifacts, index, records, and what runs; drawn places and moments of them
in releases that go through the live pipeline.

## Refused

AWS's answer to each attempt is in `tests/hostile/outcomes.json`.
"""
_CONTAINED: Final = """
## Possible, and reaching nothing

A branch's build may do what it likes to itself.

| tried | reaches nothing because | noticed by |
|---|---|---|
"""
_AFTER: Final = """
## Not protected

- **Branches from each other.** They are one zone: a branch's build can write another one's preview, package and stack.
- **The branches' account.** A branch's stack runs in it, within the runtime boundary. Keep nothing of worth there.
- **The machine of a rehearsal.** Builds run as you, on your files. Rehearse a branch that you would run.
- **The size of things.** A branch can fill its own stores, caches, logs and report groups, and keep other branches' builds waiting.
- **The tools of a release's own builds.** Publish's Python packages come out of a cache that Publish's builds alone write, by an
  installer that does not hash them again. What ships is read from wheels with their locked hash and compared with the source.

## What is left to you

- **Who may merge.** Protect the release branch: reviews, no force push, no bypass.
- **Who may approve** (`codepipeline:PutApprovalResult`), and that it is not whoever merged.
- **The tools account.** Its administrators can change every policy here. Keep CloudTrail's management and data events in another
  account, with an alarm on AccessDenied by a role below `/payments-pipelines/branch/`.
- **The connection.** Install it for this repository alone.
- **Accounts.** In one account, names, paths and tags stand between a branch's stack and production. What has none is the account's:
  log resource policies, quotas, and outputs of stacks, which branches' builds may read. Separate accounts are the stronger fence.
"""


def page() -> str:
    """Return the page."""
    refused = [_refused(*why, rows) for why, rows in _by_reason().items()]
    contained = [f"| {row.tried} | {row.refused_by} | {row.noticed} |\n" for row in CONTAINED]
    before = _BEFORE.format(
        count=len(ATTEMPTS), mutants=len(MUTANTS) + len(SHARING) + len(ATTEMPTS), protections=len(PROTECTIONS)
    )
    return before + "".join(refused) + _CONTAINED + "".join(contained) + _AFTER


def _by_reason() -> dict[tuple[str, str], list[Attempt]]:
    """Return the attempts by what refuses them and who would notice, which many have in common."""
    reasons: dict[tuple[str, str], list[Attempt]] = {}
    for row in ATTEMPTS:
        reasons.setdefault((row.refused_by, row.noticed), []).append(row)
    return reasons


def _refused(refused_by: str, noticed: str, rows: list[Attempt]) -> str:
    tried = "".join(f"- {row.tried}\n" for row in rows)
    reason = textwrap.fill(f"**Refused because {refused_by}.** Noticed by {noticed}:", 118)
    return f"\n{reason}\n\n{tried}"


def keep(mode: str, attempts: list[dict[str, Any]]) -> None:
    """Keep the outcomes of a whole run: for each attempt the builds that made it, and AWS's error code."""
    kept: dict[str, dict[str, Any]] = json.loads(OUTCOMES.read_text(encoding="utf-8"))
    for row in ATTEMPTS:
        made = [attempt for attempt in attempts if attempt["name"] == row.name]
        kept.setdefault(row.name, {})[mode] = {
            "builds": sorted({attempt["build"] for attempt in made}),
            "outcome": ", ".join(sorted({attempt["outcome"] for attempt in made})),
            "answer": ", ".join(sorted({attempt["answer"].partition(":")[0] for attempt in made})),
        }
    names = {row.name for row in ATTEMPTS}
    plain = {name: entry for name, entry in sorted(kept.items()) if name in names}
    OUTCOMES.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
