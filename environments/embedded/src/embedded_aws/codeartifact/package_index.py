"""Package indexes: a pypiserver for each CodeArtifact repository, on its own port, behind its tokens.

A version that is there is never overwritten, and an unknown package is never looked for elsewhere.
"""

import hmac
import secrets
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from embedded_aws.core import runtime

_USER = "aws"
_lock = threading.Lock()
_served: dict[tuple[str, ...], WSGIServer] = {}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Requests are not worth a line each."""


def serve(owner: str, region: str, domain: str, repository: str) -> str:
    """Start the index of a repository, if it does not run yet, and return its address."""
    key = (owner, region, domain, repository)
    with _lock:
        if key not in _served:
            folder = _folder(key)
            folder.mkdir(parents=True, exist_ok=True)
            served = application(folder, lambda password: _valid(key[:3], password))
            server = make_server("127.0.0.1", 0, served, _Server, _Quiet)
            threading.Thread(
                target=server.serve_forever, name=f"package-index-{repository}", daemon=True
            ).start()
            _served[key] = server
        return f"http://127.0.0.1:{_served[key].server_port}/"


def application(folder: Path, valid: Callable[[str], bool]) -> Any:
    """Make the WSGI application that serves the packages of a folder to those who hold a valid token."""
    finders = list(sys.meta_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports the deprecated module cgi
        import pypiserver  # noqa: PLC0415 - 40 ms that only those pay who use a package index
    # Its copy of bottle leaves an importer of the old kind, without find_spec, which Python 3.11 warns of at
    # every import that fails.
    sys.meta_path[:] = finders
    return pypiserver.app(
        roots=[folder],
        authenticate=["update", "download", "list"],
        auther=lambda user, password: user == _USER and valid(password),
        disable_fallback=True,
        overwrite=False,
    )


def remove(owner: str, region: str, domain: str, repository: str) -> None:
    """Stop an index and remove its packages."""
    key = (owner, region, domain, repository)
    with _lock:
        server = _served.pop(key, None)
        if server is not None:
            server.shutdown()
            server.server_close()
        shutil.rmtree(_folder(key), ignore_errors=True)


def token(owner: str, region: str, domain: str, expiry: int) -> str:
    """Make a token: an expiry, signed for a domain."""
    return f"{expiry}.{_signature((owner, region, domain), str(expiry))}"


def _valid(domain: tuple[str, ...], password: str) -> bool:
    expiry, _, signature = password.partition(".")
    right = hmac.compare_digest(signature, _signature(domain, expiry))
    return right and expiry.isdigit() and int(expiry) > time.time()


def _signature(domain: tuple[str, ...], expiry: str) -> str:
    return hmac.new(_key(), "\0".join((*domain, expiry)).encode(), "sha256").hexdigest()


def _key() -> bytes:
    file = runtime.current().folder / "token-key"
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()


def _folder(key: tuple[str, ...]) -> Path:
    return runtime.current().folder.joinpath("packages", *key)
