"""Plant forbidden imports in a copy of the tree, and print as JSON what each contract finds of them.

Run in the copy, with its packages first on the path: import-linter finds packages as Python does.
"""

from __future__ import annotations

import itertools
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importlinter import api
from importlinter.application import use_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Import = tuple[str, str]
"""Who imports, and what."""

_FOLDERS = [Path(folder) for folder in sys.path if folder and Path(folder).is_relative_to(Path.cwd())]


def main() -> None:
    """Break one contract after the other, in every way in which it can be broken."""
    results = {}
    for contract in api.read_configuration("pyproject.toml")["contracts_options"]:
        imports = forbidden(contract)
        with _planted(imports):
            complaints = _complaints(contract["name"])
        missed = [planted for planted in imports if complaints.isdisjoint(_complaint(contract, planted))]
        results[contract["name"]] = {"planted": imports, "missed": missed}
    json.dump(results, sys.stdout)


def forbidden(contract: Json) -> list[Import]:
    """Return imports that a contract forbids: each that its words name, by package."""
    match contract["type"]:
        case "layers":
            return [
                upward for parent in contract.get("containers", [""]) for upward in _upward(contract, parent)
            ]
        case "forbidden":
            return list(itertools.product(contract["source_modules"], contract["forbidden_modules"]))
        case "independence":
            return list(itertools.permutations(contract["modules"], 2))
        case _:
            return [
                both_ways
                for ancestor in contract["ancestors"]
                for one, other in itertools.pairwise(_children(ancestor)[:2])
                for both_ways in ((one, other), (other, one))
            ]


def _upward(contract: Json, parent: str) -> Iterator[Import]:
    layers = [
        [f"{parent}.{name.strip()}".strip(".") for name in layer.split(":")] for layer in contract["layers"]
    ]
    for high, low in itertools.combinations(layers, 2):
        yield from itertools.product(low, high)


def _children(package: str) -> list[str]:
    folder = _place(package)
    names = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return [f"{package}.{name}" for name in sorted(names - {"__init__"})]


def _place(module: str) -> Path:
    """Return a module's file, or a package's folder."""
    for folder in _FOLDERS:
        place = folder.joinpath(*module.split("."))
        if (place / "__init__.py").exists():
            return place
        if place.with_suffix(".py").exists():
            return place.with_suffix(".py")
    raise LookupError(module)


@contextmanager
def _planted(imports: list[Import]) -> Iterator[None]:
    """Add imports to a copy: to a module's own end, and to a package in a new module."""
    before: dict[Path, str | None] = {}
    for importer, imported in imports:
        place = _place(importer)
        file = place / "planted.py" if place.is_dir() else place
        before.setdefault(file, file.read_text(encoding="utf-8") if file.exists() else None)
        with file.open("a", encoding="utf-8") as text:
            text.write(f"\nimport {imported}\n")
    try:
        yield
    finally:
        for file, original in before.items():
            file.unlink() if original is None else file.write_text(original, encoding="utf-8")


def _complaint(contract: Json, planted: Import) -> set[Import]:
    """Return what a contract may say of a planted import: of a circle, it names the package around it."""
    around = planted[0].rpartition(".")[0]
    return {(around, around)} if contract["type"] == "acyclic_siblings" else {planted}


def _complaints(name: str) -> set[Import]:
    """Return the imports that one contract complains about."""
    options = use_cases.read_user_options("pyproject.toml")
    use_cases._register_contract_types(options)
    report = use_cases.create_report(options, cache_dir=".import_linter_cache")
    [metadata] = [
        check.metadata for contract, check in report.get_contracts_and_checks() if contract.name == name
    ]
    chains = {
        (chain["downstream_module"], chain["upstream_module"]) for chain in metadata.get("invalid_chains", [])
    }
    routes = {(route["importer"], route["imported"]) for route in metadata.get("invalid_dependencies", [])}
    circles = {(package, package) for package in metadata.get("cycle_breakers_by_package", {})}
    return chains | routes | circles


if __name__ == "__main__":
    main()
