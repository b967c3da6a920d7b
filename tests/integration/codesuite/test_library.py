"""The shared library in CodeArtifact as the release pipeline publishes it, and functions built against it."""

import json
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from codepipeline_workbench import Json, Workshop

from embedded_aws import instance
from pipelines.aws import accounts
from pipelines.build import library, package_manifest, packaging
from pipelines.build.library import Index
from pipelines.cli.main import main
from pipelines.core.repository import ROOT

Payments = Callable[..., Result]
_FUNCTION = "reserve_products"


@pytest.fixture
def place(workshop: Workshop) -> Json:
    """A CodeArtifact domain and repository, fresh, as a build is told of them."""
    domain, codeartifact = f"d{uuid.uuid4().hex[:8]}", workshop.client("codeartifact")
    codeartifact.create_domain(domain=domain)
    codeartifact.create_repository(domain=domain, repository="library")
    return {"LIBRARY_DOMAIN": domain, "LIBRARY_REPOSITORY": "library"}


@pytest.fixture
def payments(embedded: instance.Instance, place: Json) -> Payments:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"AWS_ENDPOINT_URL": embedded.endpoint, **place})

    return run


@pytest.fixture
def index(embedded: instance.Instance, place: Json) -> Index:
    tools = accounts.connect_tools(embedded.endpoint)
    return library.index(tools, place["LIBRARY_DOMAIN"], place["LIBRARY_REPOSITORY"])


def test_publishing_a_version_again_does_nothing(payments: Payments, index: Index, tmp_path: Path) -> None:
    # Given a version that a release published
    assert payments("library", "publish").exit_code == 0
    # When another release with the same library comes
    again = payments("library", "publish")
    # Then nothing is wrong, and what is there is the checkout's library
    assert (again.exit_code, "is published" in again.output) == (0, True)
    fetched = library.fetch(index, library.build(tmp_path), tmp_path / "fetched")
    source = ROOT / "lambdas" / "payment_data" / "src" / "payment_data" / "money.py"
    assert (fetched / "money.py").read_bytes() == source.read_bytes()


def test_a_published_version_never_changes(payments: Payments, index: Index, tmp_path: Path) -> None:
    # Given that other bytes were published under this version
    wheel = library.build(tmp_path)
    with wheel.open("ab") as stream:
        stream.write(b"\0")
    library.publish(index, wheel)
    # When a release comes with the checkout's
    refused = payments("library", "publish")
    # Then it is refused, and it is said what to do
    said = " ".join(refused.output.split())
    assert refused.exit_code == 1
    assert "is published already, with other bytes" in said
    assert "raise it in lambdas/payment_data/pyproject.toml" in said
    # And no function is built with what is there
    assert payments("package", "--published").exit_code == 1


def test_functions_are_built_against_what_was_published(payments: Payments) -> None:
    # Given a library that nobody published, no function is built
    refused = payments("package", "--published")
    assert (refused.exit_code, "payments library publish" in refused.output) == (1, True)
    # When it is published, and the functions are built
    assert payments("library", "publish").exit_code == 0
    built = payments("package", "--published", "--json")
    # Then they hold it, and are the very packages that the build of a branch makes
    assert built.exit_code == 0, built.output
    made = json.loads(built.output)[_FUNCTION]
    with zipfile.ZipFile(package_manifest.PACKAGES / made["file"]) as archive:
        money = archive.read("payment_data/money.py")
    assert money == (ROOT / "lambdas/payment_data/src/payment_data/money.py").read_bytes()
    assert made["sha256"] == packaging.build()[_FUNCTION].sha256
