"""Publish signs what this source makes, and nothing that lay in a bucket meanwhile."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from environments import schema
from pipelines.aws import accounts
from pipelines.build import check_cache, package_manifest, provenance
from pipelines.build.check_cache import CheckRecord
from pipelines.build.package_manifest import Package
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.deploy import synth
from pipelines.promotion import publish_release, verification
from pipelines.promotion.verification import NotAsApproved
from tests.pipelines.promotion.test_provenance import Kms, _tools

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLES = {
    "PROVENANCE_KEY": "key",
    "COMMIT": "c" * 40,
    "EXECUTION": "F",
    "CODEBUILD_INITIATOR": "codepipeline/releases",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Build made: the templates, and the record of its check."""
    built = tmp_path_factory.mktemp("built")
    for name in ("staging", "prod"):
        synth.synth(schema.load(name), built / "dist" / "templates")
    record = CheckRecord(check_cache.digest(ROOT), "", "", 1.0, "release")
    (built / "reports").mkdir()
    (built / "reports" / "checked.json").write_text(json.dumps(asdict(record)))
    return built


@pytest.fixture
def built(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The artifact of Build, and a checkout in which Publish has made its packages and settings."""
    kms, dist = Kms(), tmp_path / "dist"
    for name in ("packages/data_api.zip", "settings/prod/payments.json"):
        (dist / name).parent.mkdir(parents=True)
        (dist / name).write_bytes(b"{}")
    package_manifest.write_packages(dist / "packages", {})
    monkeypatch.setattr(publish_release, "DIST", dist)
    monkeypatch.setattr(package_manifest, "PACKAGES", dist / "packages")
    monkeypatch.setattr(accounts, "connect_tools", lambda: _tools(kms))
    for name, value in _VARIABLES.items():
        monkeypatch.setenv(name, value)
    return shutil.copytree(made, tmp_path / "Built")


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    """The artifact of MoneyPath, which ran on another kind of machine than Publish does."""
    record = CheckRecord(check_cache.digest(ROOT, "z80"), "", "", 1.0, "release", machine="z80")
    (tmp_path / "Proven" / "reports").mkdir(parents=True)
    (tmp_path / "Proven" / "reports" / "proven.json").write_text(json.dumps(asdict(record)))
    return tmp_path / "Proven"


def test_every_package_setting_and_template_is_signed(built: Path, proven: Path, tmp_path: Path) -> None:
    # When a release is signed
    publish_release.sign(built, proven)
    # Then the statement is about all that its templates, packages and settings folders hold
    envelope = provenance.read(tmp_path / "dist" / "packages" / provenance.FILE)
    templates = {
        path.relative_to(built / "dist").as_posix() for path in (built / "dist" / "templates").rglob("*.json")
    }
    assert set(provenance.subjects_of(envelope)) == templates | {
        "packages/data_api.zip",
        "packages/manifest.json",
        "settings/prod/payments.json",
    }
    # And one that lists no package is no release, though it was signed
    with pytest.raises(NotAsApproved, match="the manifest lists no package"):
        verification.read_release(accounts.connect_tools(), "key", tmp_path, built)


def test_a_release_is_read_as_it_was_signed_and_a_file_that_changed_since_is_named(
    built: Path, proven: Path, tmp_path: Path
) -> None:
    # Given a signed release of one package
    folder = tmp_path / "dist" / "packages"
    (folder / "data_api.cdx.json").write_text("{}")
    sha256 = package_manifest.file_digest(folder / "data_api.zip")
    package = Package("data_api.zip", "key", sha256, 2, "source", "data_api.cdx.json", sha256)
    package_manifest.write_packages(folder, {"data_api": package})
    publish_release.sign(built, proven)
    tools = accounts.connect_tools()
    # When it is read, then it holds what was signed
    release = verification.read_release(tools, "key", tmp_path, built)
    assert (release.manifest, release.stored, release.image) == ({"data_api": package}, None, None)
    assert release.subjects["packages/data_api.zip"] == sha256
    # And when a file of it changed since, in Publish's artifact or in Build's, it is named
    changed = {folder / "data_api.zip": "packages/data_api.zip"}
    changed[built / "dist" / "templates" / "prod" / "payments.json"] = "templates/prod/payments.json"
    for path, name in changed.items():
        genuine = path.read_bytes()
        path.write_bytes(genuine + b" ")
        with pytest.raises(NotAsApproved, match=f"{name} is"):
            verification.read_release(tools, "key", tmp_path, built)
        path.write_bytes(genuine)


def test_a_template_that_this_source_does_not_make_is_not_signed(built: Path, proven: Path) -> None:
    # Given one changed byte of a template in Build's artifact
    template = built / "dist" / "templates" / "prod" / "payments.json"
    template.write_text(template.read_text().replace("live", "Live", 1))
    # Then nothing is signed
    with pytest.raises(Refused, match="are not what this source makes"):
        publish_release.sign(built, proven)
    assert not (package_manifest.PACKAGES / provenance.FILE).exists()


@pytest.mark.parametrize("record", ["of another source", "none"])
def test_a_source_that_build_did_not_check_is_not_signed(built: Path, proven: Path, record: str) -> None:
    # Given a record of another source, or none, as when the checkout changed after Build
    path = built / "reports" / "checked.json"
    if record == "none":
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"source": "0" * 64}))
    # Then nothing is signed
    with pytest.raises(Refused, match="recorded no check of this very source"):
        publish_release.sign(built, proven)


@pytest.mark.parametrize("change", [{"source": "0" * 64}, {"part": check_cache.SHORTENED}, None])
def test_a_source_whose_money_path_was_not_proven_or_in_short_is_not_signed(
    built: Path, proven: Path, change: dict[str, str] | None
) -> None:
    # Given a proof of another source, one of a part alone as only a rehearsal's build makes it, or none
    path = proven / "reports" / "proven.json"
    if change is None:
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    # Then nothing is signed
    with pytest.raises(Refused, match="recorded no proof of this very source"):
        publish_release.sign(built, proven)
    assert not (package_manifest.PACKAGES / provenance.FILE).exists()
