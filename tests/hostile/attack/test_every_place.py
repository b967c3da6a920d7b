"""Any byte that changes between Build and production, wherever it lies, is found or made anew.

The release is a real one: Publish's own commands run in a copy of the tree, with the store, key and library
of an embedded AWS, and Verify's reading judges what they made. What is tampered with after the deployment is
`tests/rehearsal/test_running_stack.py`'s matter. `make hostile` runs it: each place costs a publication.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments import schema
from pipelines.aws import accounts
from pipelines.aws.accounts import Aws
from pipelines.build import check_cache, package_manifest, provenance
from pipelines.build.check_cache import CheckRecord
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE
from pipelines.deploy import artifacts, synth
from pipelines.promotion import verification
from tests.mutants.__main__ import copy_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance

_SEARCHED: Final = (".", "lambdas", "lambdas/payment_data/src", "environments/embedded/src")
_COMMANDS: Final = (
    ("library", "publish"),
    ("package", "--published", "--upload"),
    ("pipeline", "settings", "staging", "prod"),
)
_MAIN: Final = "from pipelines.cli.main import main; main()"
_EVIL_BUILDER: Final = """

_genuine = build_wheel
def build_wheel(directory, *arguments, **more):
    import pathlib, zipfile
    name = _genuine(directory, *arguments, **more)
    with zipfile.ZipFile(pathlib.Path(directory) / name, "a") as wheel:
        wheel.writestr("payment_data/evil.py", "EVIL = True")
    return name
"""


_DOCKER: Final = f"""#!{sys.executable}
import os, sys
import boto3
if sys.argv[1] == "push":
    name, _, tag = sys.argv[2].partition("/")[2].rpartition(":")
    ecr = boto3.Session(os.environ["ACCOUNT"], "any", region_name=os.environ["REGION"]).client("ecr")
    ecr.put_image(repositoryName=name, imageTag=tag, imageManifest='{{"layers": ["genuine"]}}')
"""


class Publication:
    """A release on its way: the checkout that Publish runs in, what Build made, and the tools account."""

    def __init__(self, embedded: Instance, folder: Path) -> None:
        self.root, self.built, self.packages = folder / "checkout", folder / "Built", folder / "Packages"
        copy_tree(self.root, linked=(".venv",))
        shutil.copytree(CACHE / "wheels", self.root / ".cache" / "wheels")
        self.index = embedded.root / "state" / "services" / "packages"
        self.tools = accounts.connect_tools(embedded.endpoint)
        kms = self.tools.client("kms")
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        self.key = key["Arn"]
        self.store = artifacts.make_bucket(self.tools, f"packages-{uuid.uuid4().hex[:8]}")
        domain, codeartifact = f"d{uuid.uuid4().hex[:8]}", self.tools.client("codeartifact")
        codeartifact.create_domain(domain=domain)
        codeartifact.create_repository(domain=domain, repository="library")
        own = {
            "PYTHONPATH": os.pathsep.join(str(self.root / folder) for folder in _SEARCHED),
            "UV_CACHE_DIR": str(self.root / ".cache" / "uv"),
            "AWS_ENDPOINT_URL": embedded.endpoint,
            "PAYMENTS_ZONE": "release",
            "PAYMENTS_PACKAGE_BUCKET": self.store,
            "LIBRARY_DOMAIN": domain,
            "LIBRARY_REPOSITORY": "library",
            "PROVENANCE_KEY": self.key,
            "COMMIT": "c" * 40,
            "EXECUTION": "F",
            "CODEBUILD_INITIATOR": "codepipeline/releases",
        }
        for name in ("staging", "prod"):
            own[f"{name.upper()}_INSPECTION_ROLE"] = _inspection(Aws(schema.load(name), embedded.endpoint))
        self._environment = os.environ | own
        self._changed: dict[Path, bytes] = {}
        self._build()
        self.publish()
        self.genuine = self.made()

    def _build(self) -> None:
        """Make what Build makes of this source, as far as Publish and Verify read it."""
        for name in ("staging", "prod"):
            synth.synth(schema.load(name), self.built / "dist" / "templates")
        record = CheckRecord(check_cache.digest(self.root), "", "", 1.0, "release")
        (self.built / "reports").mkdir()
        (self.built / "reports" / "checked.json").write_text(json.dumps(asdict(record)))

    def publish(self) -> None:
        """Run Publish's commands, and take their artifact.

        Raises:
            Refused: One of them refuses.
        """
        shutil.rmtree(self.packages, ignore_errors=True)
        for command in (*_COMMANDS, ("pipeline", "sign", "--built", str(self.built))):
            done = subprocess.run(
                [sys.executable, "-c", _MAIN, *command],
                cwd=self.root,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise Refused(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        for folder in ("packages", "settings"):
            shutil.copytree(self.root / "dist" / folder, self.packages / "dist" / folder)

    @contextmanager
    def with_images(self, folder: Path) -> Iterator[str]:
        """Publish an image, too, by a stand-in for Docker; yield the name of its repository."""
        name, program = f"images-{uuid.uuid4().hex[:8]}", folder / "docker"
        made = self.tools.client("ecr").create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
        program.write_text(_DOCKER)
        program.chmod(0o755)
        environment, zips_alone = self.tools.environment, self._environment
        self._environment = zips_alone | {
            "IMAGE_REPOSITORY": made["repository"]["repositoryUri"],
            "PATH": f"{folder}:{os.environ['PATH']}",
            "ACCOUNT": environment.account,
            "REGION": environment.region,
        }
        try:
            self.publish()
            yield name
        finally:
            self.undo()
            self._environment = zips_alone
            self.publish()

    def change(self, path: Path, content: bytes) -> None:
        """Change a file, until `undo`."""
        self._changed.setdefault(path, path.read_bytes())
        path.unlink()  # it may be a link that other caches share
        path.write_bytes(content)

    def flip(self, path: Path) -> None:
        """Change one byte in the middle of a file, until `undo`."""
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        self.change(path, bytes(content))

    def append(self, path: Path, text: str) -> None:
        """Add to a file, until `undo`."""
        self.change(path, path.read_bytes() + text.encode())

    def undo(self) -> None:
        """Give every changed file its content again."""
        for path, content in self._changed.items():
            path.write_bytes(content)
        self._changed = {}

    def read(self) -> verification.Release:
        """Read the release as each of Verify's checks does first."""
        return verification.read_release(self.tools, self.key, self.packages, self.built)

    def subjects(self) -> dict[str, str]:
        """Return the digest of every file that was signed."""
        envelope = provenance.read(self.packages / "dist" / "packages" / provenance.FILE)
        return provenance.subjects_of(envelope)

    def made(self) -> dict[str, str]:
        """Return the digests of what the source makes: all but the files that name versions of the store."""
        return {
            name: digest
            for name, digest in self.subjects().items()
            if name != "packages/manifest.json" and not name.startswith("settings/")
        }


def _inspection(target: Aws) -> str:
    """Make the role that a build looks at an account as."""
    iam = target.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=f"inspection-{uuid.uuid4().hex[:8]}",
        AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}),
    )["Role"]
    look = {"Effect": "Allow", "Action": ["cloudformation:*", "ec2:Describe*"], "Resource": "*"}
    policy = json.dumps({"Statement": [look]})
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="look", PolicyDocument=policy)
    arn: str = role["Arn"]
    return arn


def _wheel(release: Publication) -> None:
    release.flip(max((release.root / ".cache" / "wheels").glob("*.whl")))


def _installed(release: Publication) -> None:
    """Change every module that uv keeps unpacked, and the program that builds the library's wheel."""
    for module in (release.root / ".cache" / "uv").rglob("*.py"):
        release.append(module, _EVIL_BUILDER if module.parent.name == "uv_build" else "\nEVIL = True\n")


def _earlier_package(release: Publication) -> None:
    """Leave a package of an earlier build, with a manifest that agrees with it."""
    folder = release.root / "dist" / "packages"
    manifest = json.loads((folder / "manifest.json").read_text())
    package = manifest["functions"]["data_api"]
    content = b"PK" + (folder / package["file"]).read_bytes()
    (folder / package["file"]).write_bytes(content)
    package["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _stored(release: Publication) -> None:
    package = release.read().manifest["data_api"]
    release.tools.s3.put_object(Bucket=release.store, Key=package.key, Body=b"evil")


def _published(release: Publication) -> None:
    for wheel in release.index.rglob("payment_data-*.whl"):
        release.flip(wheel)


def _template(release: Publication) -> None:
    release.flip(release.built / "dist" / "templates" / "prod" / "payments.json")


def _check_record(release: Publication) -> None:
    release.change(release.built / "reports" / "checked.json", b"{}")


def _source(release: Publication) -> None:
    release.append(release.root / "lambdas" / "data_api" / "handler.py", "# another byte\n")


def _library_source(release: Publication) -> None:
    release.append(release.root / "lambdas/payment_data/src/payment_data/money.py", "# another byte\n")


@pytest.fixture(scope="module")
def published(embedded: Instance, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return Publication(embedded, tmp_path_factory.mktemp("release"))


@pytest.fixture
def genuine(published: Publication) -> Iterator[Publication]:
    """The release, which is genuine again after each test."""
    yield published
    published.undo()


@pytest.mark.parametrize("place", [None, _wheel, _installed, _earlier_package, _stored])
def test_what_publish_finds_in_caches_and_store_does_not_count(
    genuine: Publication, place: Callable[[Publication], None] | None
) -> None:
    # Given a release of which something changed in a place that Publish looks at
    if place is not None:
        place(genuine)
    # When it is published again
    genuine.publish()
    # Then what is signed is byte for byte what the source makes, and Verify finds it so, in the store, too
    assert genuine.made() == genuine.genuine
    assert genuine.read().subjects == genuine.subjects()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_of_an_artifact_is_found(
    genuine: Publication, data: st.DataObject, position: float, flip: int
) -> None:
    # Given any file of the release in the artifacts of Publish and of Build, at any byte
    name = data.draw(st.sampled_from(sorted(genuine.subjects())))
    root = genuine.built if name.startswith("templates/") else genuine.packages
    path = root / "dist" / name
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= flip
    genuine.change(path, bytes(content))
    # When that byte is another, then the release is refused
    try:
        with pytest.raises(Refused):
            genuine.read()
    finally:
        genuine.undo()


def test_another_version_in_the_store_is_named_and_one_that_is_gone_refused(genuine: Publication) -> None:
    # Given a manifest that names another version of an object than the package's
    release = genuine.read()
    assert release.stored is not None
    name, package = next(iter(release.manifest.items()))
    own = release.stored.versions[name]
    evil = genuine.tools.s3.put_object(Bucket=genuine.store, Key=package.key, Body=b"evil")["VersionId"]
    stored = package_manifest.StoredPackages(genuine.store, {**release.stored.versions, name: evil})
    found = artifacts.stored_differences(genuine.tools, stored, release.manifest)
    assert [package.key in line for line in found] == [True]
    # And the package's own version is still what it was, whatever lies over it
    assert genuine.read().stored == release.stored
    # When that version is deleted
    genuine.tools.s3.delete_object(Bucket=genuine.store, Key=package.key, VersionId=own)
    # Then the release is refused
    with pytest.raises(verification.NotAsApproved, match=package.key):
        genuine.read()


@pytest.fixture
def images(genuine: Publication, tmp_path: Path) -> Iterator[str]:
    """The repository of a release whose functions are an image."""
    with genuine.with_images(tmp_path) as name:
        yield name


def test_an_image_is_its_manifests_bytes_and_no_tag(genuine: Publication, images: str) -> None:
    # Given a release whose functions are an image
    ecr, image = genuine.tools.client("ecr"), genuine.read().image
    assert image is not None
    (pushed,) = ecr.batch_get_image(repositoryName=images, imageIds=[{"imageDigest": image.digest}])["images"]
    manifest, tag = pushed["imageManifest"], pushed["imageId"]["imageTag"]
    # Then what is signed is the digest of every byte of its manifest
    signed = hashlib.sha256(manifest.encode()).hexdigest()
    assert (genuine.subjects()["image"], image.digest) == (signed, f"sha256:{signed}")
    # When each byte of the manifest changes, then it is another image, and its tag is taken
    for position in range(len(manifest)):
        other = manifest[:position] + chr(ord(manifest[position]) ^ 1) + manifest[position + 1 :]
        with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException):
            ecr.put_image(repositoryName=images, imageTag=tag, imageManifest=other)
        assert hashlib.sha256(other.encode()).hexdigest() != signed
    # When somebody who may do everything puts another one under the tag
    ecr.batch_delete_image(repositoryName=images, imageIds=[{"imageDigest": image.digest}])
    ecr.put_image(repositoryName=images, imageTag=tag, imageManifest='{"layers": ["evil"]}')
    # Then the release still names the one that was signed, which is gone, and no other
    assert genuine.read().image == image
    gone = ecr.batch_get_image(repositoryName=images, imageIds=[{"imageDigest": image.digest}])
    assert gone["images"] == []
    # And a manifest of packages that names the other is refused
    listing = genuine.packages / "dist" / "packages" / "manifest.json"
    evil = hashlib.sha256(b'{"layers": ["evil"]}').hexdigest()
    genuine.change(listing, listing.read_bytes().replace(signed.encode(), evil.encode()))
    with pytest.raises(verification.NotAsApproved, match=r"manifest\.json"):
        genuine.read()


@pytest.mark.parametrize(
    ("place", "refusal"),
    [
        (_template, "are not what this source makes"),
        (_check_record, "reports"),
        (_source, "recorded no check of this very source"),
        (_library_source, "is published already, with other bytes"),
        (_published, "payment-data"),
    ],
)
def test_what_changed_since_build_is_neither_packaged_nor_signed(
    genuine: Publication, place: Callable[[Publication], None], refusal: str
) -> None:
    place(genuine)
    with pytest.raises(Refused, match=refusal):
        genuine.publish()
