"""The image of all functions: what Docker builds from, when it is asked, and what it is asked."""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.aws import accounts
from pipelines.build import image, package_manifest
from pipelines.build.package_manifest import Image, Package, StoredPackages
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY
from pipelines.promotion import publish_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws.accounts import Aws

REPOSITORY, DIGEST = "registry.example/functions", "sha256:" + "d" * 64


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two functions that share a file."""
    folder = tmp_path / "packages"
    folder.mkdir()
    package_manifest.write_packages(
        folder, {name: packed(folder, name, b"shared") for name in ("pay", "reserve")}
    )
    return folder


def packed(folder: Path, name: str, shared: bytes) -> Package:
    file = folder / f"{name}.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}/handler.py", name)
        archive.writestr("shared.py", shared)
    sbom = folder / f"{name}.json"
    sbom.write_text("{}")
    sha256, listed_sha256 = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (file, sbom))
    return Package(
        file.name, f"{sha256}.zip", sha256, file.stat().st_size, "source", sbom.name, listed_sha256
    )


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that notes what it is asked and told, and its environment."""
    log, script = tmp_path / "docker.log", tmp_path / "bin" / "docker"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$BUILDX_NO_DEFAULT_ATTESTATIONS $* $(cat)" >> {log}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return log


def listed(tag: str, digest: str | None) -> tuple[str, dict[str, object], dict[str, object]]:
    images = [{"imageId": {"imageDigest": digest, "imageTag": tag}}] if digest else []
    return (
        "batch_get_image",
        {"repositoryName": "functions", "imageIds": [{"imageTag": tag}]},
        {"images": images},
    )


def login() -> tuple[str, dict[str, object], dict[str, object]]:
    token = b64encode(b"AWS:pass:word").decode()
    return "get_authorization_token", {}, {"authorizationData": [{"authorizationToken": token}]}


def test_an_image_that_is_there_is_not_built_again(
    aws: Aws, answers: Callable[..., None], packages: Path
) -> None:
    tag = image.tag_of(package_manifest.read_manifest(packages))
    answers("ecr", listed(tag, DIGEST))
    made = image.publish(aws, REPOSITORY, packages, NOBODY)
    assert (made.repository, made.digest) == (REPOSITORY, DIGEST)
    assert package_manifest.read_image(packages) == made


class Sayings(list[str]):
    """A reporter that keeps what is told."""

    say = list.append

    def passing(self, line: str) -> None:
        """What goes by is not kept."""


@pytest.mark.parametrize("images", [True, False])
def test_a_release_s_packages_are_stored_and_their_image_is_made_where_the_pipeline_names_a_repository(
    aws: Aws, answers: Callable[..., None], packages: Path, monkeypatch: pytest.MonkeyPatch, images: bool
) -> None:
    # Given a build of a pipeline that keeps packages, and images where an environment runs them
    pay = package_manifest.read_manifest(packages)["pay"]
    package_manifest.write_packages(packages, {"pay": pay})
    monkeypatch.setattr(accounts, "connect_tools", lambda: aws)
    monkeypatch.setenv("PAYMENTS_PACKAGE_BUCKET", "store")
    monkeypatch.delenv("IMAGE_REPOSITORY", raising=False)
    checksum = b64encode(bytes.fromhex(pay.sha256)).decode()
    asked = {"Bucket": "store", "Key": pay.key, "ChecksumMode": "ENABLED"}
    answers("s3", ("head_object", asked, {"VersionId": "v1", "ChecksumSHA256": checksum}), client=aws.s3)
    if images:
        monkeypatch.setenv("IMAGE_REPOSITORY", REPOSITORY)
        answers("ecr", listed(image.tag_of({"pay": pay}), DIGEST))
    # When it uploads them
    told = Sayings()
    publish_release.upload({"pay": pay}, packages, told)
    # Then their manifest says where they are, and the build's log does
    assert package_manifest.read_stored(packages) == StoredPackages("store", {"pay": "v1"})
    made = package_manifest.read_image(packages)
    assert made == (Image(REPOSITORY, DIGEST) if images else None)
    stored, *named = told
    assert stored == "0 of 1 packages uploaded to store"
    assert named[-1:] == ([f"the image is {REPOSITORY}@{DIGEST}"] if images else [])


def test_an_image_that_is_missing_is_built_and_pushed_once_logged_in(
    aws: Aws, answers: Callable[..., None], packages: Path, docker: Path
) -> None:
    tag = image.tag_of(package_manifest.read_manifest(packages))
    answers("ecr", listed(tag, None), login(), listed(tag, DIGEST))
    assert image.publish(aws, REPOSITORY, packages, NOBODY).digest == DIGEST
    signed_in, built, pushed = docker.read_text().splitlines()
    # The password comes by standard input alone
    assert signed_in == "1 login --username AWS --password-stdin registry.example pass:word"
    assert built.startswith(f"1 build --platform {image.PLATFORM} --tag {REPOSITORY}:{tag} /")
    assert pushed.strip() == f"1 push {REPOSITORY}:{tag}"


def test_an_image_that_is_not_there_after_it_was_pushed_is_refused(
    aws: Aws, answers: Callable[..., None], packages: Path, docker: Path
) -> None:
    tag = image.tag_of(package_manifest.read_manifest(packages))
    answers("ecr", listed(tag, None), login(), listed(tag, None))
    with pytest.raises(Refused, match=f"does not have {tag}, though it was pushed"):
        image.publish(aws, REPOSITORY, packages, NOBODY)


def test_without_docker_or_when_it_fails_it_says_so(
    aws: Aws, answers: Callable[..., None], packages: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = image.tag_of(package_manifest.read_manifest(packages))
    answers("ecr", listed(tag, None), login(), listed(tag, None), login())
    (docker.parent / "bin" / "docker").write_text("#!/bin/sh\necho no disk >&2\nexit 1\n")
    with pytest.raises(Refused, match=r"docker login failed:\nno disk$"):
        image.publish(aws, REPOSITORY, packages, NOBODY)
    monkeypatch.setenv("PATH", str(packages))
    with pytest.raises(Refused, match="Docker is not installed"):
        image.publish(aws, REPOSITORY, packages, NOBODY)


def test_docker_builds_from_the_files_of_all_zips(packages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "context"
    folder.mkdir()
    image.lay_out(package_manifest.read_manifest(packages), packages, folder)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert files.keys() == {"Dockerfile", "task/pay/handler.py", "task/reserve/handler.py", "task/shared.py"}
    assert files["task/shared.py"].read_bytes() == b"shared"
    assert {path.stat().st_mode & 0o777 for path in (folder / "task").rglob("*") if path.is_dir()} == {0o755}
    assert files["task/shared.py"].stat().st_mode & 0o777 == 0o644


def test_two_functions_that_hold_another_file_of_one_name_are_no_image(
    packages: Path, tmp_path: Path
) -> None:
    manifest = dict(package_manifest.read_manifest(packages)) | {
        "other": packed(packages, "other", b"another")
    }
    with pytest.raises(Refused, match=r"other\.zip holds another shared\.py"):
        image.lay_out(manifest, packages, tmp_path)


def test_the_tag_is_of_every_package_in_any_order(packages: Path) -> None:
    manifest = package_manifest.read_manifest(packages)
    tag = image.tag_of(manifest)
    assert image.tag_of(dict(reversed([*manifest.items()]))) == tag
    changed = dict(manifest) | {"pay": replace(manifest["pay"], sha256="0" * 64)}
    assert image.tag_of(changed) != tag
    assert len(tag) == 64
