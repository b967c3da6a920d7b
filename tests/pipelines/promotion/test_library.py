"""The shared library: published once, the same again for nothing, another under the same version never."""

import shutil
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from embedded_aws.codeartifact import package_index
from pipelines.aws import accounts
from pipelines.aws.accounts import Aws
from pipelines.build import library, package_manifest, packaging
from pipelines.build.library import Index
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.promotion import publish_release

TOKEN = "a/token+with=signs"  # noqa: S105 - of this test's own index


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are not worth a line each."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An empty package index that wants a token."""
    folder = tmp_path / "index"
    folder.mkdir()
    served = package_index.application(folder, lambda password: password == TOKEN)
    server = make_server("127.0.0.1", 0, served, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Index(f"http://127.0.0.1:{server.server_port}/", TOKEN)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library.build(tmp_path_factory.mktemp("wheel"))


def test_the_same_source_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert library.build(tmp_path).read_bytes() == wheel.read_bytes()


def test_what_is_published_is_what_functions_are_built_from(
    index: Index, wheel: Path, tmp_path: Path
) -> None:
    # Given a published version, published once more
    library.publish(index, wheel)
    library.publish(index, wheel)
    # When it is fetched
    fetched = library.fetch(index, wheel, tmp_path / "fetched")
    # Then it is the checkout's library, file by file
    library.check_source(fetched)
    assert (fetched / "money.py").read_bytes() == (ROOT / library.SOURCE / "money.py").read_bytes()


def test_what_a_release_published_is_what_it_packages(
    aws: Aws,
    answers: Callable[..., None],
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a release's build, CodeArtifact's repository, and a checkout of one function, not packaged yet
    which = {"domain": "house", "domainOwner": aws.environment.account}
    place = which | {"repository": "libraries", "format": "pypi"}
    asked = [
        ("get_authorization_token", which, {"authorizationToken": TOKEN}),
        ("get_repository_endpoint", place, {"repositoryEndpoint": index.url}),
    ]
    answers("codeartifact", *asked, *asked)
    monkeypatch.setattr(accounts, "connect_tools", lambda: aws)
    monkeypatch.setenv("LIBRARY_DOMAIN", "house")
    monkeypatch.setenv("LIBRARY_REPOSITORY", "libraries")
    monkeypatch.setattr(package_manifest, "PACKAGES", tmp_path / "packages")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "lambdas" / "reserve_products", tmp_path / "lambdas" / "reserve_products")
    (tmp_path / "lambdas" / "payment_data").mkdir()
    described = "lambdas/payment_data/pyproject.toml"
    shutil.copy(ROOT / described, tmp_path / described)
    whole = packaging.build

    def of_the_small_checkout(**asked_for: Any) -> package_manifest.Manifest:
        return whole(package_manifest.PACKAGES, root=tmp_path, **asked_for)

    monkeypatch.setattr(packaging, "build", of_the_small_checkout)
    # When it publishes the library, and packages the functions with what it published
    version = publish_release.publish_library()
    packaged: list[str] = []
    manifest = publish_release.package_published(packaged.append)
    # Then the package, of which a listing and a digest are kept, holds the library of this very source
    stated = tomllib.loads((tmp_path / described).read_text(encoding="utf-8"))["project"]["version"]
    assert (version, packaged, list(manifest)) == (stated, ["reserve_products"], ["reserve_products"])
    with zipfile.ZipFile(tmp_path / "packages" / manifest["reserve_products"].file) as archive:
        shipped = archive.read("payment_data/money.py")
    assert shipped == (ROOT / library.SOURCE / "money.py").read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("money.py", None),
        ("money.py", b"EVIL = True\n"),
        ("payment_methods/evil.py", b""),
        ("py.typed", b"x"),
    ],
    ids=["a file fewer", "another file", "a file more", "a file of another kind"],
)
def test_a_library_that_is_not_of_this_source_is_refused_whatever_built_it(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    # Given what a tampered build tool made of the source, and published with a digest that fits
    made = shutil.copytree(ROOT / library.SOURCE, tmp_path / "made")
    library.check_source(made)
    (made / name).unlink(missing_ok=True)
    if content is not None:
        (made / name).write_bytes(content)
    # Then it is refused, and named
    with pytest.raises(Refused, match=f"is not what this source holds: {name}"):
        library.check_source(made)


def test_a_version_never_changes(index: Index, wheel: Path, tmp_path: Path) -> None:
    # Given a published version, and another wheel of the same version
    library.publish(index, wheel)
    other = tmp_path / wheel.name
    shutil.copy(wheel, other)
    with other.open("ab") as stream:
        stream.write(b"\0")
    # When that is published or fetched, then it is refused, and the token is not told
    with pytest.raises(Refused, match="with other bytes") as refusal:
        library.publish(index, other)
    assert "raise it in" in refusal.value.hint
    with pytest.raises(Refused, match="is not in the index") as refusal:
        library.fetch(index, other, tmp_path / "fetched")
    assert TOKEN not in refusal.value.message


def test_a_library_that_nobody_published_is_refused(index: Index, wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is not in the index") as refusal:
        library.fetch(index, wheel, tmp_path / "fetched")
    assert refusal.value.hint == "payments library publish"


def test_an_index_that_is_shown_does_not_tell_its_token(index: Index) -> None:
    assert TOKEN not in repr(index)
