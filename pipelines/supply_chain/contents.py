"""Whether each package that ships is listed: its SBOM names its digest, and everything that is inside."""

from __future__ import annotations

import json
import re
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from pipelines.build import packaging
from pipelines.core.refusals import Refused
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS: Final = "payment_data"


def check(built: Path) -> CheckResult:
    """Compare the packages in `built` with the CycloneDX documents beside them.

    Raises:
        CannotCheck: Nothing was built, or it is not what its manifest says.
    """
    try:
        manifest = packaging.read_intact(built)
    except Refused as refused:
        raise CannotCheck(f"{refused.message} Run `payments package` first.") from refused
    owners = metadata.packages_distributions()
    findings: list[str] = []
    inside: dict[str, list[str]] = {}
    for name, package in manifest.items():
        document = json.loads((built / package.sbom).read_text(encoding="utf-8"))
        inside[name] = [f"{part['name']} {part['version']}" for part in document["components"]]
        (digest,) = document["metadata"]["component"]["hashes"]
        if digest["content"] != package.sha256:
            findings.append(f"{name}: its SBOM is that of other bytes")
        findings += [f"{name}: {fault}" for fault in _unlisted(built / package.file, name, document, owners)]
    return result_of(f"{len(inside)} packages, each with its SBOM", findings, inside)


def _unlisted(archive: Path, function: str, document: Any, owners: Any) -> Iterator[str]:
    listed = {_normal(part["name"]) for part in document["components"]}
    with zipfile.ZipFile(archive) as files:
        modules = {name.partition("/")[0].removesuffix(".py") for name in files.namelist()}
    for module in sorted(modules - {function, _OURS}):
        if not {_normal(owner) for owner in owners.get(module, [])} & listed:
            yield f"holds {module}, which its SBOM does not list"


def _normal(name: str) -> str:
    """Source: PyPA specifications, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()
