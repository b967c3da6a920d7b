"""The shared library in a package index: published once for each version, and fetched as it was published.

On AWS and on the embedded AWS the index is CodeArtifact, which speaks PyPI's protocol. A version never
changes: publishing the same bytes again does nothing, publishing other bytes is refused.

Source: CodeArtifact user guide, "Configure and use pip" and "Configure and use twine".
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from pipelines.build import dependencies, package_manifest
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

PACKAGE: Final = "payment-data"
SOURCE: Final = Path("lambdas", "payment_data", "src", "payment_data")
"""The module's folder in a checkout."""
_MODULE: Final = "payment_data"
_USER: Final = "aws"
_MISMATCH: Final = "do not match"
_INDEXES: Final = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_FIND_LINKS")
"""Settings of the machine that could let another index answer for ours (dependency confusion)."""


@dataclass(frozen=True, slots=True)
class Index:
    """A package index.

    Attributes:
        url: Where packages are published to; `simple/` below it lists them.
        token: Its password.
    """

    url: str
    token: str = field(repr=False)

    @property
    def listing(self) -> str:
        """Return the address that installers ask; it holds the token, so it is never shown."""
        place = urlsplit(self.url)
        return f"{place.scheme}://{_USER}:{quote(self.token, safe='')}@{place.netloc}{place.path}simple/"


def index(tools: Aws, domain: str, repository: str) -> Index:
    """Return the package index of a CodeArtifact repository, with a token for it."""
    codeartifact, owner = tools.client("codeartifact"), tools.environment.account
    token = codeartifact.get_authorization_token(domain=domain, domainOwner=owner)["authorizationToken"]
    endpoint = codeartifact.get_repository_endpoint(
        domain=domain, domainOwner=owner, repository=repository, format="pypi"
    )["repositoryEndpoint"]
    return Index(endpoint if endpoint.endswith("/") else f"{endpoint}/", token)


def build(out: Path, root: Path = ROOT) -> Path:
    """Build the library's wheel and return its path; the same source gives the same bytes."""
    dependencies.uv(
        ["build", "--quiet", "--wheel", "--package", PACKAGE, "--no-create-gitignore", "--out-dir", str(out)],
        cwd=root,
    )
    return next(out.glob(f"{_MODULE}-*.whl"))


def publish(where: Index, wheel: Path) -> None:
    """Publish a wheel; one whose very bytes are there already stays as it is.

    Raises:
        Refused: The version is there with other bytes, or the index cannot be reached.
    """
    address = ["--publish-url", where.url, "--check-url", where.listing]
    secret = {"UV_PUBLISH_USERNAME": _USER, "UV_PUBLISH_PASSWORD": where.token}
    try:
        dependencies.uv(["publish", *address, str(wheel)], cwd=wheel.parent, env=_alone() | secret)
    except Refused as refusal:
        message = _without_secrets(refusal.message, where)
        if _MISMATCH in message:
            raise Refused(
                f"{version_of(wheel)} of {PACKAGE} is published already, with other bytes.",
                "A published version never changes: raise it in lambdas/payment_data/pyproject.toml.",
            ) from None
        raise Refused(f"{PACKAGE} could not be published: {message}") from None


def fetch(where: Index, wheel: Path, into: Path) -> Path:
    """Install from the index what was published of a wheel's version, and return the module's folder.

    Raises:
        Refused: It is not there, or it is not, byte for byte, this wheel.
    """
    wanted = f"{PACKAGE}=={version_of(wheel)} --hash=sha256:{package_manifest.file_digest(wheel)}\n"
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "requirements.txt"
        listing.write_text(wanted)
        exactly = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache"]
        quiet = ["--quiet", "--no-config", "--no-compile-bytecode", "--no-installer-metadata"]
        address = ["--default-index", where.listing, "--target", str(into), "-r", str(listing)]
        try:
            dependencies.uv(["pip", "install", *exactly, *quiet, *address], cwd=into.parent, env=_alone())
        except Refused as refusal:
            message = _without_secrets(refusal.message, where)
            raise Refused(
                f"{PACKAGE} is not in the index as it was built here: {message}", "payments library publish"
            ) from None
    return into / _MODULE


def check_source(module: Path, root: Path = ROOT) -> None:
    """Refuse a published module that is not the checkout's, file by file.

    What builds the wheel lies in a cache of unpacked packages that its installer does not hash again, so a
    wheel proves nothing about the source that it was built from.

    Raises:
        Refused: A file is missing, is one too many, or has other bytes; each is named.
    """
    published, source = (_modules(folder) for folder in (module, root / SOURCE))
    names = published.keys() | source.keys()
    wrong = sorted(name for name in names if published.get(name) != source.get(name))
    if wrong:
        raise Refused(
            f"What was published of {PACKAGE} is not what this source holds: {', '.join(wrong)}.",
            "Find out who changed the build's tools or the index, and release again.",
        )


def _modules(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def version_of(wheel: Path) -> str:
    """Return the version in a wheel's name (PyPA specification, "Binary distribution format", file name)."""
    return wheel.name.split("-")[1]


def _alone() -> dict[str, str]:
    """The machine's environment, without other indexes than the one that is named."""
    return {name: value for name, value in os.environ.items() if name not in _INDEXES}


def _without_secrets(text: str, where: Index) -> str:
    return text.replace(quote(where.token, safe=""), "…").replace(where.token, "…")
