"""A folder of the docs site as it is put into its bucket: what comes first, how long it is kept."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.aws import docs_bucket
from pipelines.core import branch_names
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from pathlib import Path

PREVIEW = "branches/" + branch_names.stack_name("feature/login")
OTHER = "branches/" + branch_names.stack_name("feature/other")


class Bucket:
    """S3 with one bucket, which lists two keys a page; it keeps the order of what is asked of it."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self._one_at_a_time = threading.Lock()

    def put_object(self, **asked: Any) -> None:
        assert asked.pop("Bucket") == "docs"
        with self._one_at_a_time:
            self.calls.append(("put", asked["Key"]))
            self.objects[asked["Key"]] = asked

    def delete_object(self, **asked: Any) -> None:
        assert asked["Bucket"] == "docs"
        self.calls.append(("delete", asked["Key"]))
        del self.objects[asked["Key"]]

    def get_object(self, **asked: Any) -> Any:
        assert asked["Bucket"] == "docs"
        body = self.objects[asked["Key"]]["Body"]
        return {"Body": SimpleNamespace(read=lambda: body)}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **asked: Any) -> Any:
        assert asked["Bucket"] == "docs"
        prefix, delimiter = asked["Prefix"], asked.get("Delimiter")
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        if delimiter:
            folders = sorted(
                {
                    prefix + key.removeprefix(prefix).split("/")[0] + "/"
                    for key in keys
                    if "/" in key.removeprefix(prefix)
                }
            )
            return [{"CommonPrefixes": [{"Prefix": folder}]} for folder in folders] + [{}]
        return [
            {"Contents": [{"Key": key} for key in keys[at : at + 2]]} for at in range(0, len(keys), 2)
        ] + [{}]

    def versions(self, key: str) -> list[str]:
        listed: list[dict[str, Any]] = json.loads(self.objects[key]["Body"])
        assert all(
            each == {"version": each["version"], "title": each["version"], "aliases": []} for each in listed
        )
        return [each["version"] for each in listed]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("DOCS_BUCKET", "docs")
    return Bucket()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A built site with a page, an index of a folder, and a file that holds its digest in its name."""
    for name in (
        "index.html",
        "how-to/index.html",
        "how-to/push.html",
        "a/bundle.7b2a9d31.js",
        "a/x.unknown",
    ):
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "site"


def _tools(bucket: Bucket) -> Any:
    return SimpleNamespace(s3=bucket)


@pytest.mark.parametrize("folder", ["prod", "staging", PREVIEW])
def test_pages_come_after_what_they_show_and_what_is_stale_goes_last(
    bucket: Bucket, site: Path, folder: str
) -> None:
    # Given a folder with a page that is no more, and its neighbour
    tools = _tools(bucket)
    for key in (f"{folder}/gone.html", f"{folder}-neighbour/index.html"):
        bucket.objects[key] = {"Body": b""}
    # When
    assert docs_bucket.replace_folder(tools, site, folder) == 5
    # Then
    inside = [
        (what, key.removeprefix(f"{folder}/")) for what, key in bucket.calls if key.startswith(f"{folder}/")
    ]
    files, pages = inside[:2], inside[2:7]
    assert sorted(files) == [("put", "a/bundle.7b2a9d31.js"), ("put", "a/x.unknown")]
    assert sorted(pages) == [
        ("put", ""),
        ("put", "how-to/"),
        ("put", "how-to/index.html"),
        ("put", "how-to/push.html"),
        ("put", "index.html"),
    ]
    assert inside[7:] == [("delete", "gone.html")]
    assert f"{folder}-neighbour/index.html" in bucket.objects
    # And a browser is told what each is, and to keep for ever what holds its digest
    shown = {
        key.removeprefix(f"{folder}/"): each
        for key, each in bucket.objects.items()
        if key.startswith(f"{folder}/")
    }
    kinds = {name: (each["ContentType"], each["CacheControl"]) for name, each in shown.items()}
    page = ("text/html; charset=utf-8", "no-cache")
    assert kinds[""] == kinds["how-to/"] == kinds["how-to/push.html"] == page
    assert kinds["a/bundle.7b2a9d31.js"] == (
        "text/javascript; charset=utf-8",
        "public, max-age=31536000, immutable",
    )
    assert kinds["a/x.unknown"] == ("application/octet-stream", "no-cache")
    assert docs_bucket.read(tools, f"{folder}/how-to/") == b"how-to/index.html"


def test_readers_may_change_between_what_there_is_and_previews_among_themselves(
    bucket: Bucket, site: Path
) -> None:
    tools = _tools(bucket)
    docs_bucket.replace_folder(tools, site, "prod")
    assert bucket.versions("versions.json") == ["prod"]
    docs_bucket.replace_folder(tools, site, "staging")
    assert sorted(bucket.versions("versions.json")) == ["prod", "staging"]
    for folder in (PREVIEW, OTHER):
        docs_bucket.replace_folder(tools, site, folder)
    names = [folder.removeprefix("branches/") for folder in (PREVIEW, OTHER)]
    assert bucket.versions("branches/versions.json") == sorted(names)
    assert sorted(bucket.versions("versions.json")) == ["prod", "staging"]
    # The root leads to production, and what is not found has a page
    assert b"url=prod/" in bucket.objects["index.html"]["Body"]
    assert bucket.objects["index.html"]["Body"].endswith(b"</html>\n")
    assert bucket.objects["index.html"]["ContentType"] == "text/html; charset=utf-8"
    # When a preview goes
    assert docs_bucket.remove_preview(tools, PREVIEW) == 7
    assert not [key for key in bucket.objects if key.startswith(PREVIEW)]
    assert bucket.versions("branches/versions.json") == [OTHER.removeprefix("branches/")]
    assert docs_bucket.remove_preview(tools, PREVIEW) == 0


@pytest.mark.parametrize(
    "folder", ["", "production", "branches", "branches/", "branches/main", "prod/", "../prod"]
)
def test_no_other_folder_is_published_to_or_removed(bucket: Bucket, site: Path, folder: str) -> None:
    with pytest.raises(Refused, match="is no folder of the docs site"):
        docs_bucket.replace_folder(_tools(bucket), site, folder)
    with pytest.raises(Refused, match="is no folder of the docs site"):
        docs_bucket.remove_preview(_tools(bucket), folder)
    assert bucket.calls == []


def test_what_is_no_preview_is_not_removed_and_what_is_no_site_is_not_published(
    bucket: Bucket, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="prod is no branch's preview"):
        docs_bucket.remove_preview(_tools(bucket), "prod")
    (tmp_path / "page.html").write_text("a page")
    with pytest.raises(Refused, match="There is no site in"):
        docs_bucket.replace_folder(_tools(bucket), tmp_path, "prod")
    assert bucket.calls == []
