"""JavaScript that the docs site serves itself: fetched once, where npm asks, and only as it was pinned."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pipelines.core.refusals import Refused
from pipelines.docs_site import building
from pipelines.docs_site.building import Asset, fetch_asset, npm_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCRIPT = b"draw();\n"


def _tarball() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        file = tarfile.TarInfo("package/dist/draw.js")
        file.size = len(_SCRIPT)
        archive.addfile(file, io.BytesIO(_SCRIPT))
    return packed.getvalue()


class Registry(BaseHTTPRequestHandler):
    """Answers as npm's registry does, with one tarball for whatever is asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.tarball)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A registry that a home's `.npmrc` names; it keeps what it was asked for."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.asked, server.tarball = [], _tarball()  # type: ignore[attr-defined]
    (tmp_path / ".npmrc").write_text(f"registry = http://127.0.0.1:{server.server_port}/\n", encoding="utf-8")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _pinned(tarball: bytes) -> Asset:
    digest = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    return Asset("draw", "1.2.3", f"sha512-{digest}", "package/dist/draw.js")


def test_a_script_is_fetched_once_from_the_registry_that_npm_would_ask(
    tmp_path: Path, registry: ThreadingHTTPServer
) -> None:
    # Given a machine that never built the site, with no folder for what is fetched
    cache, asset = tmp_path / "cache" / "npm", _pinned(registry.tarball)  # type: ignore[attr-defined]
    # When the script is wanted twice
    files = [fetch_asset(asset, cache, tmp_path) for _ in range(2)]
    # Then the registry was asked once, for exactly that version, and the script is there
    assert registry.asked == ["/draw/-/draw-1.2.3.tgz"]  # type: ignore[attr-defined]
    assert [file.read_bytes() for file in files] == [_SCRIPT, _SCRIPT]
    # And another version of it is another file, in the same folder
    other = Asset("draw", "1.2.4", asset.integrity, "package/dist/draw.js")
    assert fetch_asset(other, cache, tmp_path) == files[0]
    registry.tarball += b"\0"  # type: ignore[attr-defined]
    newer = fetch_asset(_pinned(registry.tarball), cache, tmp_path)  # type: ignore[attr-defined]
    assert newer != files[0]
    assert newer.parent == files[0].parent == cache


def test_other_bytes_than_the_pinned_ones_are_refused_and_kept_nowhere(
    tmp_path: Path, registry: ThreadingHTTPServer
) -> None:
    # Given a registry that gives something else by now
    asset = _pinned(registry.tarball)  # type: ignore[attr-defined]
    registry.tarball += b"\0"  # type: ignore[attr-defined]
    # When the script is wanted
    with pytest.raises(Refused, match=r"draw 1\.2\.3 of npm's registry is not what was pinned: sha512-"):
        fetch_asset(asset, tmp_path / "cache", tmp_path)
    # Then nothing of it is on this machine
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("registry_address", "says"),
    [
        ("http://127.0.0.1:1", r"draw 1\.2\.3 cannot be fetched from npm's registry"),
        ("file:///etc", "npm's registry is no web address: file:///etc"),
    ],
)
def test_a_registry_that_cannot_be_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry_address: str, says: str
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", registry_address)
    with pytest.raises(Refused, match=says):
        fetch_asset(_pinned(b""), tmp_path, tmp_path)


@pytest.mark.usefixtures("registry")
def test_a_variable_goes_before_the_home_s_file_and_the_public_registry_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert npm_registry(tmp_path / "nowhere") == building._DEFAULT_REGISTRY
    # Given a home's file that says it twice: npm takes the last
    with (tmp_path / ".npmrc").open("a", encoding="utf-8") as file:
        file.write("fund = false\nregistry=https://inside.example/npm/\n")
    assert npm_registry(tmp_path) == "https://inside.example/npm"
    # And a variable, as npm itself and as people write it
    for name, address in (("npm_config_registry", "https://b.example"), ("NPM_CONFIG_REGISTRY", "https://c")):
        monkeypatch.setenv(name, f"{address}/")
        assert npm_registry(tmp_path) == address
