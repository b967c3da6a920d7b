"""One container image of all functions, where an environment says `packaging: image`.

It holds the very files of the zips: they are unpacked beside the Dockerfile, after each was compared with its
digest. Its tag is a digest of all that goes in, so what did not change is neither built nor pushed again, and
ECR, whose tags never move, says which digest it has.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.build import package_manifest
from pipelines.build.package_manifest import Image
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.build.package_manifest import Manifest
    from pipelines.core.reporting import Reporter

DOCKERFILE: Final = ROOT / "lambdas" / "Dockerfile"
PLATFORM: Final = "linux/arm64"


def publish(tools: Aws, repository: str, packages: Path, reporter: Reporter) -> Image:
    """Build the image of some packages, push it, and write it into their manifest.

    Args:
        tools: The account of the repository.
        repository: The repository's URI, `<registry>/<name>`.
        packages: The folder of the zips and their manifest.
        reporter: Shown the progress.

    Raises:
        Refused: A zip is not what the manifest says, two zips hold one file with other bytes, or Docker is
            missing or failed.
    """
    manifest = package_manifest.read_intact(packages)
    tag = tag_of(manifest)
    digest = _digest(tools, repository, tag)
    if digest is None:
        reporter.say(f"building the image {tag[:12]}")
        with tempfile.TemporaryDirectory() as folder:
            lay_out(manifest, packages, Path(folder))
            _build_and_push(tools, f"{repository}:{tag}", Path(folder))
        digest = _digest(tools, repository, tag)
    if digest is None:
        raise Refused(f"{repository} does not have {tag}, though it was pushed.")
    image = Image(repository, digest)
    package_manifest.write_image(packages, image)
    return image


def tag_of(manifest: Manifest) -> str:
    """Return the tag of the image of these packages: a digest of them and of the Dockerfile."""
    whole = hashlib.sha256(DOCKERFILE.read_bytes())
    for name, package in sorted(manifest.items()):
        whole.update(f"{name} {package.sha256}\n".encode())
    return whole.hexdigest()


def lay_out(manifest: Manifest, packages: Path, folder: Path) -> None:
    """Write what Docker builds from: the Dockerfile, and in `task/` the files of all zips.

    Raises:
        Refused: Two zips hold one file with other bytes.
    """
    shutil.copy(DOCKERFILE, folder / "Dockerfile")
    task = folder / "task"
    for package in manifest.values():
        with zipfile.ZipFile(packages / package.file) as archive:
            for name in archive.namelist():
                path, content = task / name, archive.read(name)
                if path.exists() and path.read_bytes() != content:
                    raise Refused(f"{package.file} holds another {name} than the functions before it.")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    for path in [task, *task.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # whoever runs it may read it


def _digest(tools: Aws, repository: str, tag: str) -> str | None:
    _, _, name = repository.partition("/")
    images = tools.client("ecr").batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}])["images"]
    return str(images[0]["imageId"]["imageDigest"]) if images else None


def _build_and_push(tools: Aws, name: str, folder: Path) -> None:
    token = tools.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = b64decode(token).decode().partition(":")
    registry, _, _ = name.partition("/")
    # The password goes through standard input, where no list of processes shows it.
    _docker("login", "--username", user, "--password-stdin", registry, stdin=password)
    _docker("build", "--platform", PLATFORM, "--tag", name, str(folder))
    _docker("push", name)


def _docker(*arguments: str, stdin: str = "") -> None:
    docker = shutil.which("docker")
    if docker is None:
        raise Refused("Docker is not installed; an environment with `packaging: image` is built with it.")
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [docker, *arguments],
        input=stdin,
        # Lambda takes no index with attestations in it, which buildx makes unless told otherwise.
        env=os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"docker {arguments[0]} failed:\n{done.stderr.strip()}")
