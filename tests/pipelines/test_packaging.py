"""Packages: the same source gives the same bytes, anywhere and at any time."""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from pipelines.build import dependencies, package_manifest, packaging
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

_FUNCTION = "reserve_products"
_OTHER = "record_failure"
_PAYING = "process_payment"


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with two functions, and their packages beside them."""
    checkout = _copy(tmp_path_factory.mktemp("built") / "checkout")
    _build(checkout)
    return checkout


@pytest.fixture
def checkout(built_once: Path, tmp_path: Path) -> Path:
    """A copy of it, in which only what a test changes is built anew: compressing is what takes long."""
    return shutil.copytree(built_once, tmp_path / "checkout")


def _copy(where: Path) -> Path:
    where.mkdir()
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, where / name)
    for name in (_FUNCTION, _OTHER, "payment_data"):
        shutil.copytree(ROOT / "lambdas" / name, where / "lambdas" / name)
    return where


def _build(checkout: Path) -> package_manifest.Manifest:
    return packaging.build(checkout / "dist", root=checkout, cache=packaging.WHEELS)


def test_two_folders_with_other_times_give_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    # Given the same source in another folder, touched at another time and with leftovers of a run in it
    elsewhere = _copy(tmp_path / "elsewhere")
    for path in (elsewhere / "lambdas").rglob("*.py"):
        os.utime(path, (0, 0))
    leftover = elsewhere / "lambdas" / _FUNCTION / "__pycache__" / "handler.cpython-311.pyc"
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_bytes(b"compiled")
    # When both are built
    first, second = _build(checkout), _build(elsewhere)
    # Then the manifests and the archives are equal, byte for byte
    assert first == second
    for package in first.values():
        names = (checkout / "dist" / package.file, elsewhere / "dist" / package.file)
        assert names[0].read_bytes() == names[1].read_bytes()


def test_two_builds_with_nothing_cached_do_not_differ(checkout: Path) -> None:
    assert packaging.differences(checkout) == []


def test_files_that_differ_in_their_bytes_alone_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a build that gives a file of one size and time, with other bytes each time
    contents = iter((b"one", b"two"))

    def build(out: Path, **_: object) -> None:
        out.mkdir(parents=True)
        for name, content in (("a.zip", next(contents)), ("b.zip", b"same")):
            (out / name).write_bytes(content)
            os.utime(out / name, (0, 0))

    monkeypatch.setattr(packaging, "build", build)
    # Then
    assert packaging.differences() == ["a.zip"]


def test_every_file_of_a_package_may_be_read_by_lambdas_own_user(tmp_path: Path) -> None:
    package_manifest.write_zip(tmp_path / "a.zip", {"app.py": b"", "data/codes.txt": b"EUR"})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_where_packages_are_stored_is_kept_in_their_manifest(checkout: Path) -> None:
    built, out = _build(checkout), checkout / "dist"
    assert package_manifest.read_stored(out) is None
    stored = package_manifest.StoredPackages("bucket", {_FUNCTION: "v1"})
    package_manifest.write_stored(out, stored)
    assert package_manifest.read_stored(out) == stored
    assert package_manifest.read_manifest(out) == built


def test_a_key_is_the_content(checkout: Path) -> None:
    # Given a build
    before = _build(checkout)
    # When one function changes
    handler = checkout / "lambdas" / _FUNCTION / "handler.py"
    handler.write_text(handler.read_text() + "# other\n")
    after = _build(checkout)
    # Then its key is another, and the other function's is not
    assert after[_FUNCTION].key != before[_FUNCTION].key
    assert after[_OTHER] == before[_OTHER]
    assert after[_FUNCTION].key == f"lambdas/{_FUNCTION}/{after[_FUNCTION].sha256}.zip"


def test_a_change_of_the_shared_library_changes_every_package(checkout: Path) -> None:
    before = _build(checkout)
    library = checkout / "lambdas" / "payment_data" / "src" / "payment_data" / "money.py"
    library.write_text(library.read_text() + "# other\n")
    after = _build(checkout)
    assert {name for name in after if after[name].sha256 != before[name].sha256} == {_FUNCTION, _OTHER}


def test_what_did_not_change_is_not_built_again(checkout: Path) -> None:
    # Given a build
    package = _build(checkout)[_FUNCTION]
    archive = checkout / "dist" / package.file
    built = archive.stat().st_mtime_ns
    # When it is built again
    _build(checkout)
    # Then the archive was left alone
    assert archive.stat().st_mtime_ns == built


def test_a_damaged_archive_is_built_again(checkout: Path) -> None:
    package = _build(checkout)[_FUNCTION]
    archive = checkout / "dist" / package.file
    archive.write_bytes(b"half a zi")
    assert _build(checkout)[_FUNCTION] == package
    assert zipfile.is_zipfile(archive)


def test_a_package_holds_what_a_handler_imports_and_no_more(checkout: Path) -> None:
    package = _build(checkout)[_FUNCTION]
    with zipfile.ZipFile(checkout / "dist" / package.file) as archive:
        names = archive.namelist()
    assert {f"{_FUNCTION}/handler.py", "payment_data/errors.py", "urllib3/__init__.py"} <= set(names)
    unwanted = [name for name in names if name.endswith(".pyc") or ".dist-info/" in name or "boto" in name]
    assert unwanted == []


def test_each_package_says_what_is_inside(checkout: Path) -> None:
    # Given a built package
    package = _build(checkout)[_FUNCTION]
    # When its bill of materials is read
    path = checkout / "dist" / package.sbom
    listed = json.loads(path.read_text())
    # Then it is about this very zip, it names the library and what was locked, and nothing of the runtime's
    assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sbom_sha256
    assert (listed["bomFormat"], listed["specVersion"], listed["version"]) == ("CycloneDX", "1.5", 1)
    assert path.read_text() == json.dumps(listed, indent=1, sort_keys=True) + "\n"
    assert listed["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": package.sha256}]
    names = {part["name"] for part in listed["components"]}
    assert {"payment-data", "urllib3", "aws-lambda-powertools"} <= names
    assert names.isdisjoint(dependencies.FROM_THE_RUNTIME)
    (inside,) = listed["dependencies"]
    assert inside["dependsOn"] == [part["bom-ref"] for part in listed["components"]]


def test_packages_that_are_not_what_was_built_are_refused(checkout: Path) -> None:
    # Given packages that are as they were built
    manifest = _build(checkout)
    assert package_manifest.read_intact(checkout / "dist") == manifest
    # When one is changed, then it is refused by name
    (checkout / "dist" / manifest[_OTHER].file).write_bytes(b"other")
    with pytest.raises(Refused, match=rf"{_OTHER}\.zip is not what the manifest says"):
        package_manifest.read_intact(checkout / "dist")


def test_a_function_that_pays_brings_stripes_client_and_stays_small(checkout: Path) -> None:
    # Given
    shutil.copytree(ROOT / "lambdas" / _PAYING, checkout / "lambdas" / _PAYING)
    # When
    package = _build(checkout)[_PAYING]
    # Then it holds the client, and not what the client does without
    with zipfile.ZipFile(checkout / "dist" / package.file) as archive:
        names = archive.namelist()
    assert {"stripe/_payment_intent.py", "stripe/data/ca-certificates.crt", "typing_extensions.py"} <= set(
        names
    )
    assert [name for name in names if name.startswith(("requests/", "certifi/", "stripe/params/"))] == []
    assert package.bytes <= 2_000_000


def test_the_manifest_can_be_read_back(checkout: Path) -> None:
    built = _build(checkout)
    assert package_manifest.read_manifest(checkout / "dist") == built


def test_a_missing_manifest_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"manifest\.json cannot be read"):
        package_manifest.read_manifest(tmp_path)
