"""A docs bucket: one holds a folder for each environment and the evidence, the other one for each branch.

A page that is a folder's index lies there twice, as `prod/index.html` and as `prod/`: CloudFront before S3
knows no index documents but the root's, and two keys need no code at the edge
(docs/decisions/docs-stack.md).
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pipelines.aws import build_environment
from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from templates.capabilities.docs_distribution import (
    BRANCHES,
    FOLDERS,
    NOT_FOUND_PAGE,
    PRODUCTION_FOLDER,
    VERSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.aws.accounts import Aws

_INDEX: Final = "index.html"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".yml": "application/yaml",
}
"""Written down, because readers' browsers are told to believe them and a machine's own list may differ."""
_DIGEST_IN_NAME: Final = re.compile(r"\.[0-9a-f]{8,}\.")
_FOREVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_ROOT_PAGES: Final = {
    _INDEX: f'<meta http-equiv="refresh" content="0; url={PRODUCTION_FOLDER}/">'
    f'<title>Payment system</title><a href="{PRODUCTION_FOLDER}/">Payment system</a>',
    NOT_FOUND_PAGE: "<title>Not found</title><h1>There is no such page</h1>"
    "<p>It may have gone with its branch, or moved.</p>",
}


def bucket() -> str:
    """Return the bucket's name.

    Raises:
        Refused: There is no docs bucket.
    """
    return build_environment.variable("DOCS_BUCKET")


def upload(tools: Aws, file: Path, key: str) -> None:
    """Upload one page or file with the content type of its name."""
    _put(tools, key, file.name, file.read_bytes())


def write(tools: Aws, key: str, content: str) -> None:
    """Write the text of one page, with the content type of its key's last part."""
    _put(tools, key, PurePosixPath(key).name, content.encode())


def read(tools: Aws, key: str) -> bytes:
    """Return one file.

    Raises:
        ClientError: There is none, or it may not be read.
    """
    return tools.s3.get_object(Bucket=bucket(), Key=key)["Body"].read()


def replace_folder(tools: Aws, source: Path, folder: str) -> int:
    """Replace a folder of the site by a local folder, and list it in the version selector.

    Pages come after what they show and stale files go last, so that a reader meanwhile misses nothing.

    Returns:
        How many files it has.

    Raises:
        Refused: There is no docs bucket, nothing to publish, or no such folder of the site.
    """
    prefix = f"{_valid_folder(folder)}/"
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    if _INDEX not in files:
        raise Refused(f"There is no site in {source} to publish.", "make docs")
    keys = {prefix + key: path for name, path in files.items() for key in _keys(name)}
    pages = {key for key, path in keys.items() if path.suffix == ".html"}
    for some in (keys.keys() - pages, pages):
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda key: upload(tools, keys[key], key), sorted(some)))
    _delete(tools, set(_listed(tools, prefix)) - keys.keys())
    _write_versions(tools, folder)
    return len(files)


def remove_preview(tools: Aws, folder: str) -> int:
    """Remove a branch's preview.

    Returns:
        How many files it had; none when there was no preview.

    Raises:
        Refused: There is no docs bucket, or the folder is no branch's.
    """
    if not _valid_folder(folder).startswith(BRANCHES):
        raise Refused(f"{folder} is no branch's preview, so it is not removed here.")
    keys = set(_listed(tools, f"{folder}/"))
    _delete(tools, keys)
    _write_versions(tools, folder)
    return len(keys)


def _valid_folder(folder: str) -> str:
    stack = folder.removeprefix(BRANCHES)
    if folder in FOLDERS or (stack != folder and branch_names.is_branch_stack(stack)):
        return folder
    raise Refused(f"{folder!r} is no folder of the docs site.", f"{', '.join(FOLDERS)} or {BRANCHES}…")


def _keys(name: str) -> Iterator[str]:
    yield name
    if PurePosixPath(name).name == _INDEX:
        yield name.removesuffix(_INDEX)


def _write_versions(tools: Aws, folder: str) -> None:
    """List the versions that a reader of this folder may change to, by their addresses beside it.

    Two publications at once may each miss the other; the next one lists both.
    """
    if folder.startswith(BRANCHES):
        previews = [name.removeprefix(BRANCHES).rstrip("/") for name in _folders(tools, BRANCHES)]
        _put_versions(tools, BRANCHES + VERSIONS, previews)
        return
    _put_versions(tools, VERSIONS, [name for name in FOLDERS if _exists(tools, f"{name}/{_INDEX}")])
    for name, body in _ROOT_PAGES.items():
        page = f'<!doctype html><html lang="en"><meta charset="utf-8">{body}</html>\n'
        _put(tools, name, name, page.encode())


def _put_versions(tools: Aws, key: str, names: list[str]) -> None:
    versions = [{"version": name, "title": name, "aliases": list[str]()} for name in names]
    _put(tools, key, VERSIONS, json.dumps(versions).encode())


def _put(tools: Aws, key: str, name: str, body: bytes) -> None:
    kind = _TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
    keep = _FOREVER if _DIGEST_IN_NAME.search(name) else _ASK_AGAIN
    tools.s3.put_object(Bucket=bucket(), Key=key, Body=body, ContentType=kind, CacheControl=keep)


def _exists(tools: Aws, key: str) -> bool:
    return key in _listed(tools, key)


def _listed(tools: Aws, prefix: str) -> Iterator[str]:
    pages = tools.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket(), Prefix=prefix)
    return (item["Key"] for page in pages for item in page.get("Contents", []))


def _folders(tools: Aws, prefix: str) -> list[str]:
    pages = tools.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket(), Prefix=prefix, Delimiter="/")
    return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]


def _delete(tools: Aws, keys: Iterable[str]) -> None:
    for key in sorted(keys):
        tools.s3.delete_object(Bucket=bucket(), Key=key)
