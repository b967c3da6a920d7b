"""The software bill of materials of one function's zip: a CycloneDX document made from `uv.lock`."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from pipelines.build import dependencies

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


def of_group(group: str, root: Path) -> Json:
    """Return the document of what a dependency group ships; every one holds the shared library.

    Times and random numbers are left out, so the same source gives the same bytes.
    """
    document: Json = json.loads(dependencies.exported(group, root, "cyclonedx1.5"))
    shipped = [part for part in document["components"] if part["name"] not in dependencies.LEFT_OUT]
    return {
        "bomFormat": document["bomFormat"],
        "specVersion": document["specVersion"],
        "version": 1,
        "components": [*shipped, _library(root)],
    }


def of_function(name: str, sha256: str, shipped: Json) -> str:
    """Return the document of a function's zip as JSON text, given the zip's digest in hexadecimal.

    Source: CycloneDX 1.5, metadata.component.
    """
    subject = {"type": "application", "bom-ref": name, "name": name}
    hashes = [{"alg": "SHA-256", "content": sha256}]
    about = {"metadata": {"component": subject | {"hashes": hashes}}}
    inside = {"ref": name, "dependsOn": [part["bom-ref"] for part in shipped["components"]]}
    return json.dumps(shipped | about | {"dependencies": [inside]}, indent=1, sort_keys=True) + "\n"


def _library(root: Path) -> Json:
    stated = tomllib.loads((root / "lambdas" / "payment_data" / "pyproject.toml").read_text())["project"]
    name, version = stated["name"], stated["version"]
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
