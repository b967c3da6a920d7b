"""A byte that changes in any file of a release, in an artifact or in the package store, is found."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.build import package_manifest, provenance
from pipelines.build.package_manifest import Package, StoredPackages
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts
from pipelines.promotion import verification
from tests.pipelines.promotion.test_provenance import _KEY, _ORIGIN, Kms

if TYPE_CHECKING:
    from pathlib import Path

_FILES = {
    "packages/data_api.zip": b"the code of the data API",
    "packages/data_api.cdx.json": b'{"bomFormat": "CycloneDX"}',
    "settings/prod/payments.json": b'{"Parameters": {}}',
    "templates/prod/payments.json": b'{"Resources": {}}',
}


class Store:
    """The release's artifacts and its package store, with the key that signs."""

    def __init__(self, root: Path) -> None:
        self.packages, self.built, self.kms = root / "Packages", root / "Built", Kms()
        self.stored = _FILES["packages/data_api.zip"]
        tools = SimpleNamespace(client=lambda _: self.kms, s3=SimpleNamespace(head_object=self._head_object))
        self.tools = cast("Any", tools)
        for name, content in _FILES.items():
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder = self.packages / "dist" / "packages"
        package_manifest.write_packages(folder, {"data_api": _package()})
        package_manifest.write_stored(folder, StoredPackages("store", {"data_api": "v1"}))
        signed = [*_FILES, "packages/manifest.json"]
        subjects = {name: hashlib.sha256(self.path(name).read_bytes()).hexdigest() for name in signed}
        envelope = provenance.sign(self.tools, _KEY, provenance.statement(subjects, _ORIGIN, []))
        (folder / provenance.FILE).write_text(json.dumps(envelope))
        self.names = [*signed, f"packages/{provenance.FILE}"]

    def path(self, name: str) -> Path:
        """Return where a file lies: templates come from Build, everything else from Publish."""
        return (self.built if name.startswith("templates/") else self.packages) / "dist" / name

    def read(self) -> verification.Release:
        """Read the release as each check does first."""
        return verification.read_release(self.tools, _KEY, self.packages, self.built)

    def _head_object(self, **request: str) -> dict[str, str]:
        assert request["VersionId"] == "v1"
        stored = Package("", "", hashlib.sha256(self.stored).hexdigest(), 0, "", "", "")
        return {"ChecksumSHA256": artifacts._checksum(stored)}


def _package() -> Package:
    digests = [hashlib.sha256(_FILES[f"packages/data_api.{end}"]).hexdigest() for end in ("zip", "cdx.json")]
    key = f"lambdas/data_api/{digests[0]}.zip"
    return Package("data_api.zip", key, digests[0], 1, "", "data_api.cdx.json", digests[1])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("release"))


def test_a_release_that_nobody_touched_is_genuine(store: Store) -> None:
    assert list(store.read().manifest) == ["data_api"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_of_any_file_is_found(
    store: Store, data: st.DataObject, position: float, flip: int
) -> None:
    # Given any file of the release, in the artifact of Publish or of Build
    path = store.path(data.draw(st.sampled_from(store.names)))
    content = path.read_bytes()
    changed = bytearray(content)
    place = int(position * len(changed))
    changed[place] ^= flip
    path.write_bytes(bytes(changed))
    # When a byte of it is another, then the release is refused, unless the envelope still says the very same
    try:
        if path.name == provenance.FILE and _says_the_same(content, bytes(changed)):
            return
        with pytest.raises(Refused):
            store.read()
    finally:
        path.write_bytes(content)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_of_a_stored_package_is_found(store: Store, position: float, flip: int) -> None:
    content = store.stored
    changed = bytearray(content)
    changed[int(position * len(changed))] ^= flip
    store.stored = bytes(changed)
    try:
        with pytest.raises(verification.NotAsApproved, match="is stored as"):
            store.read()
    finally:
        store.stored = content


def _says_the_same(content: bytes, changed: bytes) -> bool:
    """White space of the envelope and the name of its key carry nothing."""
    try:
        first, second = json.loads(content), json.loads(changed)
    except ValueError:
        return False
    if not isinstance(second, dict) or set(first) != set(second):
        return False
    return _signed_parts(first) == _signed_parts(second)


def _signed_parts(envelope: Any) -> list[Any]:
    return [envelope["payload"], envelope["payloadType"], [s.get("sig") for s in envelope["signatures"]]]
