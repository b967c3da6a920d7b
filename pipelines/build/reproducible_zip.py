"""Zip archives whose bytes depend on nothing but the names and contents inside."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE_BY_ALL = 0o100644 << 16
"""Lambda runs as a user of its own, so every file must be readable by others
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html, file permissions)."""


def write(archive: Path, files: Mapping[str, bytes]) -> str:
    """Write the files under their archive names; replaces `archive` in one step.

    Returns:
        The SHA-256 of the archive, in hexadecimal.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name}.")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as bundle:
            for entry_name in sorted(files):
                entry = zipfile.ZipInfo(entry_name, date_time=_DOS_EPOCH)
                entry.create_system = _UNIX
                entry.external_attr = _READABLE_BY_ALL
                bundle.writestr(entry, files[entry_name], compress_type=zipfile.ZIP_DEFLATED)
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return digest(archive)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def names_and_contents(files: Mapping[str, bytes]) -> str:
    """Return one SHA-256 over every name and content: equal exactly when the archives would be equal."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()
