"""AWS Signature Version 4 for one request.

Ours because importing botocore costs a step 100 ms of cold start; a property test holds it to botocore's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<origin>\w+://[^/?]*)(?P<path>[^?]*)\??(?P<query>.*)")


class Credentials(NamedTuple):
    """An access key; `token` is set for a role's session."""

    access_key: str
    secret_key: str
    token: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Credentials":
        """Return the credentials of the function's role, which Lambda puts into the environment."""
        return cls(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN")
        )

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r}, ...)"  # the secret stays out of logs and tracebacks


def sign(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """Return `headers` with those that sign the request added.

    Args:
        method: HTTP method, upper case.
        url: absolute, percent-encoded, without fragment, `.`, `..` or empty segments (signed as they stand).
        body: the bytes that will be sent.
        headers: all are signed; `Host` is derived from the URL.
        credentials: who signs.
        region: the AWS region of the service.
        service: its signing name, like `execute-api`.
        now: the time in UTC; AWS accepts five minutes of difference.

    Raises:
        ValueError: the URL is not absolute.
    """
    origin, path, query = _parts(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signed = dict(headers) | {"X-Amz-Date": stamp}
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    lines = {name.lower(): " ".join(value.split()) for name, value in signed.items()} | {
        "host": _host(origin)
    }
    names = ";".join(sorted(lines))
    canonical = "\n".join(
        [
            method,
            quote(path or "/", safe="/~"),
            _query(query),
            *(f"{name}:{lines[name]}" for name in sorted(lines)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(_key(credentials.secret_key, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials.access_key}/{scope}"
    signed["Authorization"] = (
        f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


def _parts(url: str) -> tuple[str, str, str]:
    """Return origin, path and query of an absolute URL."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the URL to sign must be absolute")
    return match["origin"], match["path"], match["query"]


@functools.lru_cache(maxsize=8)
def _host(origin: str) -> str:
    """Return the Host header that an HTTP client sends; the scheme's own port is not in it."""
    url = urlsplit(origin)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return host if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f"{host}:{url.port}"


def _query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in sorted((name, value) for name, _, value in pairs))


@functools.lru_cache(maxsize=8)
def _key(secret: str, scope: str) -> bytes:
    """Return the key of a day, a region and a service; it is the same for all requests of a day."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
