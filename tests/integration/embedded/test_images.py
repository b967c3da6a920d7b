"""The image of all functions: laid out from the zips, pushed to a real ECR API by a stand-in for Docker.

Docker itself cannot run here (docs/how-it-works/not-emulated.md), so what it would build is compared with the
zips, and how it is called is recorded.
"""

import json
import stat
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from pipelines.aws import accounts
from pipelines.build import image, package_manifest
from pipelines.build.package_manifest import Image, Manifest, Package
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.deploy import deployment

_DOCKER = """#!{python}
import json, os, sys
import boto3
with open(os.environ["DOCKER_LOG"], "a") as log:
    print(json.dumps([*sys.argv[1:], len(sys.stdin.read())]), file=log)
if sys.argv[1] == os.environ.get("DOCKER_FAILS"):
    sys.exit("no space left on device")
if sys.argv[1] == "push":
    name, _, tag = sys.argv[2].partition("/")[2].rpartition(":")
    session = boto3.Session("{account}", "any", region_name="eu-central-1")
    ecr = session.client("ecr", endpoint_url=os.environ["ECR"])
    ecr.put_image(repositoryName=name, imageTag=tag, imageManifest="{{}}")
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two zips with a shared library, and their manifest."""
    folder, manifest = tmp_path / "packages", dict[str, Package]()
    for name in ("data_api", "smoke"):
        files = {f"{name}/handler.py": f"# {name}\n", "payment_data/money.py": "# money\n"}
        manifest[name] = _package(folder, name, files)
    package_manifest.write_packages(folder, manifest)
    return folder


def _package(folder: Path, name: str, files: dict[str, str]) -> Package:
    folder.mkdir(exist_ok=True)
    archive, listing = folder / f"{name}.zip", folder / f"{name}.cdx.json"
    package_manifest.write_zip(archive, {path: text.encode() for path, text in files.items()})
    listing.write_text("{}")
    digest = package_manifest.file_digest(archive)
    key = f"lambdas/{name}/{digest}.zip"
    listed = package_manifest.file_digest(listing)
    return Package(archive.name, key, digest, archive.stat().st_size, "", listing.name, listed)


@pytest.fixture
def repository(aws: Callable[..., Any]) -> str:
    """A new ECR repository's URI."""
    account = tools_file.load().account
    made = aws("ecr", account=account).create_repository(repositoryName=f"images-{uuid.uuid4().hex[:8]}")
    return str(made["repository"]["repositoryUri"])


@pytest.fixture
def docker(
    tmp_path: Path, embedded: instance.Instance, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[list[Any]]]:
    """Put a stand-in for Docker on the PATH, and return what it was told."""
    program, log = tmp_path / "bin" / "docker", tmp_path / "docker.log"
    program.parent.mkdir()
    program.write_text(_DOCKER.format(python=sys.executable, account=tools_file.load().account))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("DOCKER_LOG", str(log))
    monkeypatch.setenv("ECR", embedded.endpoint)
    log.touch()
    return lambda: [json.loads(line) for line in log.read_text().splitlines()]


def test_the_image_holds_the_zips_file_by_file(packages: Path, tmp_path: Path) -> None:
    # Given packages, and what Docker builds from
    folder = tmp_path / "context"
    folder.mkdir()
    image.lay_out(package_manifest.read_intact(packages), packages, folder)
    # When both are read
    inside = {
        path.relative_to(folder / "task").as_posix(): path.read_bytes()
        for path in (folder / "task").rglob("*")
        if path.is_file()
    }
    zipped = dict[str, bytes]()
    for file in packages.glob("*.zip"):
        with zipfile.ZipFile(file) as archive:
            zipped |= {name: archive.read(name) for name in archive.namelist()}
    # Then they are the same, and anybody may read them
    assert inside == zipped
    assert {path.stat().st_mode & 0o777 for path in (folder / "task").rglob("*")} == {0o644, 0o755}


def test_functions_that_differ_in_a_shared_file_are_not_made_into_one_image(
    packages: Path, tmp_path: Path
) -> None:
    # Given a function that was built with another library
    files = {"smoke/handler.py": "# smoke\n", "payment_data/money.py": "# other money\n"}
    manifest: Manifest = {
        **package_manifest.read_intact(packages),
        "smoke": _package(packages, "smoke", files),
    }
    # Then it is refused by name
    (tmp_path / "context").mkdir()
    with pytest.raises(Refused, match=r"smoke\.zip holds another payment_data/money\.py"):
        image.lay_out(manifest, packages, tmp_path / "context")


def test_an_image_is_built_pushed_and_named_by_its_digest(
    packages: Path,
    repository: str,
    docker: Callable[[], list[list[Any]]],
    embedded: instance.Instance,
    aws: Callable[..., Any],
) -> None:
    tools = accounts.connect_tools(embedded.endpoint)
    # When an image is published
    published = image.publish(tools, repository, packages, NOBODY)
    # Then Docker logged in, built for arm64 and pushed, and no argument held the password
    login, build, push = docker()
    registry, _, name = repository.partition("/")
    assert (login[:-1], login[-1] > 0) == (["login", "--username", "AWS", "--password-stdin", registry], True)
    assert build[:3] == ["build", "--platform", "linux/arm64"]
    assert push[:2] == ["push", build[4]]
    # And the manifest carries the digest that ECR has
    found = aws("ecr", account=tools.environment.account).describe_images(repositoryName=name)
    assert published == Image(repository, found["imageDetails"][0]["imageDigest"])
    assert package_manifest.read_image(packages) == published


def test_the_same_packages_are_not_built_again(
    packages: Path,
    repository: str,
    docker: Callable[[], list[list[Any]]],
    embedded: instance.Instance,
) -> None:
    tools = accounts.connect_tools(embedded.endpoint)
    first = image.publish(tools, repository, packages, NOBODY)
    calls = len(docker())
    assert image.publish(tools, repository, packages, NOBODY) == first
    assert len(docker()) == calls


def test_a_zip_that_was_changed_reaches_no_image(
    packages: Path, repository: str, docker: Callable[[], list[list[Any]]], embedded: instance.Instance
) -> None:
    (packages / "smoke.zip").write_bytes(b"other")
    with pytest.raises(Refused, match=r"smoke\.zip is not what the manifest says"):
        image.publish(accounts.connect_tools(embedded.endpoint), repository, packages, NOBODY)
    assert docker() == []


def test_without_docker_it_says_so(
    packages: Path, repository: str, embedded: instance.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="Docker is not installed"):
        image.publish(accounts.connect_tools(embedded.endpoint), repository, packages, NOBODY)


def test_when_docker_fails_its_words_are_told(
    packages: Path,
    repository: str,
    docker: Callable[[], list[list[Any]]],
    embedded: instance.Instance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_FAILS", "build")
    with pytest.raises(Refused, match="docker build failed:\nno space left on device"):
        image.publish(accounts.connect_tools(embedded.endpoint), repository, packages, NOBODY)


def test_an_environment_that_runs_an_image_is_deployed_with_it_alone(packages: Path) -> None:
    # Given an environment that runs an image
    stated = schema.load("prod")
    functions = stated.functions.model_copy(update={"packaging": "image"})
    environment = stated.model_copy(update={"functions": functions})
    manifest, built = package_manifest.read_manifest(packages), Image("registry/images", "sha256:" + "0" * 64)
    # Then its stack is told the image and no zip
    given = deployment.parameters(environment, "payments-prod", None, manifest, built)
    assert given == {
        "NetworkStack": environment.network_stack,
        "DatabaseName": "payments-prod",
        "ImageRepository": "registry/images",
        "ImageDigest": "sha256:" + "0" * 64,
    }
    # And without an image it is not deployed
    with pytest.raises(Refused, match="runs a container image, and none was built"):
        deployment.parameters(environment, "payments-prod", None, manifest, None)


def test_packages_built_anew_have_no_image_of_older_ones(packages: Path) -> None:
    package_manifest.write_image(packages, Image("registry/images", "sha256:" + "0" * 64))
    package_manifest.write_packages(packages, package_manifest.read_manifest(packages))
    assert package_manifest.read_image(packages) is None


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [program, "--no-color", image.DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)


def test_the_image_s_python_is_the_zips() -> None:
    text = (ROOT / "lambdas" / "Dockerfile").read_text()
    runtimes = {schema.load(name).functions.runtime for name in schema.names()}
    architectures = {schema.load(name).functions.architecture for name in schema.names()}
    assert {f"python{text.partition('lambda/python:')[2].partition('-')[0]}"} == runtimes
    assert architectures == {"arm64"}
    assert image.PLATFORM == "linux/arm64"
