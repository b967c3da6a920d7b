"""One reproducible zip per Lambda function, named by its content, and the manifest that lists them."""

from __future__ import annotations

import ast
import filecmp
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.build import dependencies, package_manifest, wheels
from pipelines.build.library import SOURCE as SHARED_LIBRARY
from pipelines.build.package_manifest import PACKAGES, Package
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.build.package_manifest import Manifest

WHEELS = CACHE / "wheels"
_PAY = {"process_payment", "refund_payment"}
_NOT_SHIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache"}


def functions(root: Path = ROOT) -> list[str]:
    """Return the names of the Lambda functions of this repository: the folders that hold a handler."""
    return sorted(handler.parent.name for handler in (root / "lambdas").glob("*/handler.py"))


def build(
    out: Path = PACKAGES,
    *,
    root: Path = ROOT,
    cache: Path = WHEELS,
    library: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Build every function's zip into `out`; what has not changed since the last build is kept.

    Args:
        out: The folder of the zips and of `manifest.json`.
        root: The checkout to build.
        cache: Where locked wheels are kept between builds.
        library: The folder of the shared library, where it is not the checkout's own.
        progress: Called with the name of each function when its package is ready.

    Raises:
        Refused: A module does not parse, or a function has no handler; with file and line.
    """
    _check_handlers(root)
    before, after = _previous(out), dict[str, Package]()
    groups = {_group(name) for name in functions(root)}
    third_party = {group: dependencies.shipped(group, root, cache) for group in groups}
    library_files = dict(_contents(library or root / SHARED_LIBRARY, "payment_data/"))
    listings = {group: dependencies.bill_of_materials(group, root) for group in groups}

    def packaged_function(name: str) -> Package:
        files = third_party[_group(name)] | library_files
        files |= _contents(root / "lambdas" / name, f"{name}/")
        return _package(name, files, out, before.get(name), listings[_group(name)])

    names = functions(root)
    with ThreadPoolExecutor(os.cpu_count()) as workers:  # compression lets other threads run
        for name, packaged in zip(names, workers.map(packaged_function, names), strict=True):
            after[name] = packaged
            progress(name)
    package_manifest.write_packages(out, after)
    return after


def wheels_of(root: Path = ROOT) -> list[wheels.Wheel]:
    """Return the wheels that the functions' packages hold files of."""
    groups = sorted({_group(name) for name in functions(root)})
    requirements = [dependencies.locked(group, root) for group in groups]
    return [wheel for listed in requirements for wheel in wheels.choose(listed, root / "uv.lock")]


def differences(root: Path = ROOT) -> list[str]:
    """Build twice, in different folders and with nothing cached, and name the files that differ."""
    with tempfile.TemporaryDirectory() as first_folder, tempfile.TemporaryDirectory() as second_folder:
        places = [Path(first_folder), Path(second_folder)]
        for place in places:
            build(place / "out", root=root, cache=place / "cache")
        first, second = (place / "out" for place in places)
        names = {path.name for place in (first, second) for path in place.iterdir()}
        same, _, _ = filecmp.cmpfiles(first, second, names, shallow=False)
        return sorted(names - set(same))


def _group(name: str) -> str:
    """The dependency group of a function; one that pays can pay by any method, its environment chooses."""
    if name == "data_api":
        return "data-api"
    return "paying-step" if name in _PAY else "step"


def _contents(folder: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix != ".pyc" and not _NOT_SHIPPED.intersection(name.parts):
            yield prefix + name.as_posix(), path.read_bytes()


def _package(
    name: str, files: Mapping[str, bytes], out: Path, before: Package | None, shipped: dependencies.Json
) -> Package:
    source = package_manifest.names_and_contents(files)
    archive, listing = out / f"{name}.zip", out / f"{name}.cdx.json"
    unchanged = before and before.source == source and archive.exists()
    if not (before and unchanged and package_manifest.file_digest(archive) == before.sha256):
        package_manifest.write_zip(archive, files)
    sha256 = package_manifest.file_digest(archive)
    listing.write_text(dependencies.listing_of(name, sha256, shipped))
    key = f"lambdas/{name}/{sha256}.zip"
    listed = package_manifest.file_digest(listing)
    return Package(archive.name, key, sha256, archive.stat().st_size, source, listing.name, listed)


def _previous(out: Path) -> Manifest:
    try:
        return package_manifest.read_manifest(out)
    except Refused:
        return {}


_HANDLER = "handler"


def _check_handlers(root: Path) -> None:
    """Refuse sources that Lambda could only fail with, each with its file and line.

    Raises:
        Refused: A module does not parse, or a function's folder lacks `handler.py` or its `handler`.
    """
    if faults := list(_faults(root)):
        raise Refused("\n".join(faults), "Fix it, then package again.")


def _faults(root: Path) -> Iterator[str]:
    lambdas = root / "lambdas"
    for path in sorted(lambdas.rglob("*.py")):
        shown = path.relative_to(root).as_posix()
        try:
            module = ast.parse(path.read_bytes(), shown)
        except SyntaxError as error:
            yield f"{shown}:{error.lineno}: {error.msg}."
            continue
        if path.name == f"{_HANDLER}.py" and path.parent.parent == lambdas and _HANDLER not in _names(module):
            yield f"{shown}:1: there is no function `{_HANDLER}`, which Lambda calls."
    for folder in sorted(path.parent for path in lambdas.glob("*/__init__.py")):
        if not (folder / f"{_HANDLER}.py").is_file():
            shown = folder.relative_to(root).as_posix()
            yield f"{shown}/{_HANDLER}.py:1: there is no such file, and every function has one."


def _names(module: ast.Module) -> set[str]:
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    assigned = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return defined | assigned
