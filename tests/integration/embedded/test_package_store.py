"""The package store: what is under a package's key is taken only when it is that package."""

from __future__ import annotations

import hashlib
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.build.package_manifest import Package
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CONTENT = b"what was built"
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()
_PACKAGE = Package("payer.zip", f"lambdas/payer/{_SHA256}.zip", _SHA256, len(_CONTENT), "", "payer.json", "")


class Store:
    """A bucket, and a folder with the package that goes into it."""

    def __init__(self, s3: Any, folder: Path, *, versioned: bool = True) -> None:
        self.s3, self.folder, self.bucket = s3, folder, f"packages-{uuid.uuid4().hex[:8]}"
        s3.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
        )
        if versioned:
            s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        (folder / _PACKAGE.file).write_bytes(_CONTENT)

    def put(self, content: bytes) -> None:
        """Put other bytes under the package's key, as somebody who may write there could."""
        self.s3.put_object(Bucket=self.bucket, Key=_PACKAGE.key, Body=content)

    def store(self) -> str:
        """Store the package and return its version."""
        aws: Any = SimpleNamespace(s3=self.s3)
        stored = artifacts.store_packages(aws, self.bucket, {"payer": _PACKAGE}, self.folder)
        assert stored.bucket == self.bucket
        return stored.versions["payer"]

    def read(self, version: str) -> bytes:
        """Return what Lambda would read."""
        body = self.s3.get_object(Bucket=self.bucket, Key=_PACKAGE.key, VersionId=version)["Body"]
        content: bytes = body.read()
        return content


@pytest.fixture
def s3(aws: Callable[..., Any]) -> Any:
    return aws("s3")


def test_a_package_is_uploaded_once(s3: Any, tmp_path: Path) -> None:
    # Given a store without it
    store = Store(s3, tmp_path)
    # When it is stored twice
    first, second = store.store(), store.store()
    # Then there is one version, with its bytes
    assert first == second
    assert store.read(first) == _CONTENT


@pytest.mark.parametrize("planted", [b"something else", _CONTENT[:-1] + b"T", b""])
def test_other_bytes_under_its_key_are_covered_by_a_new_version(
    s3: Any, tmp_path: Path, planted: bytes
) -> None:
    # Given that somebody put other bytes where the package belongs
    store = Store(s3, tmp_path)
    store.put(planted)
    # When it is stored
    version = store.store()
    # Then the version that deployments name has the right bytes
    assert store.read(version) == _CONTENT
    # And still has them when the key is overwritten afterwards
    store.put(planted)
    assert store.read(version) == _CONTENT


def test_the_same_bytes_without_a_checksum_are_stored_again(s3: Any, tmp_path: Path) -> None:
    # Given the right bytes, which S3 never computed a SHA-256 of
    store = Store(s3, tmp_path)
    store.put(_CONTENT)
    # Then they are not believed
    version = store.store()
    assert s3.head_object(Bucket=store.bucket, Key=_PACKAGE.key)["VersionId"] == version
    assert store.store() == version


def test_a_package_that_changed_since_it_was_built_is_not_uploaded(s3: Any, tmp_path: Path) -> None:
    # Given another file than the manifest says
    store = Store(s3, tmp_path)
    (tmp_path / _PACKAGE.file).write_bytes(b"changed")
    # Then nothing is uploaded
    with pytest.raises(Refused, match=r"payer\.zip is not what the manifest says"):
        store.store()
    assert "Contents" not in s3.list_objects_v2(Bucket=store.bucket)


def test_a_bucket_without_versions_is_refused(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="keeps no versions"):
        Store(s3, tmp_path, versioned=False).store()
