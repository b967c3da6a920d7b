"""The docs stack on the embedded AWS: published to as builds do, read as browsers do."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded_aws import instance
from pipelines.aws import accounts, docs_bucket, stacks
from pipelines.aws.accounts import DOCS_STACK, PREVIEWS_STACK, Aws
from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from pipelines.deploy import pipelines

PREVIEW = "branches/" + branch_names.stack_name("feature/login")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Site:
    tools: Aws
    url: str

    def get(self, path: str) -> Answer:
        try:
            with urllib.request.urlopen(self.url + path) as answer:  # noqa: S310 - the embedded AWS's
                return Answer(answer.status, _lower(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, _lower(error.headers), error.read().decode())

    def versions(self, folder: str = "") -> list[str]:
        listed = json.loads(self.get(f"/{folder}versions.json").body)
        return [version["version"] for version in listed]


def _lower(headers: object) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}  # type: ignore[attr-defined]  # a message's


@pytest.fixture(scope="module")
def site(embedded: instance.Instance) -> Iterator[Site]:
    """The deployed docs stack, and DOCS_BUCKET as its builds are told."""
    tools = accounts.connect_tools(embedded.endpoint)
    pipelines.deploy_docs(tools)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DOCS_BUCKET", stacks.outputs(tools, DOCS_STACK)["DocsBucket"])
        yield Site(tools, pipelines.docs_url(tools))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A site of a few pages, as a build makes one."""
    pages = {
        "index.html": "<h1>Start</h1>",
        "how-to/index.html": "<h1>How to</h1>",
        "how-to/push.html": "<h1>Push</h1>",
        "assets/bundle.7b2a9d31.min.js": "go()",
        "assets/picture.svg": "<svg/>",
    }
    for name, text in pages.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "site"


@pytest.mark.parametrize("folder", ["prod", "staging", PREVIEW])
def test_a_folder_s_address_shows_its_index(site: Site, built: Path, folder: str) -> None:
    # Given a site that has a page for what is not found
    docs_bucket.replace_folder(site.tools, built, "prod")
    # When a folder is published
    assert docs_bucket.replace_folder(site.tools, built, folder) == 5
    # Then its pages are read by name and by folder, and the folder without its slash is no page
    assert site.get(f"/{folder}/").body == "<h1>Start</h1>"
    assert site.get(f"/{folder}/how-to/").body == "<h1>How to</h1>"
    assert site.get(f"/{folder}/how-to/push.html").body == "<h1>Push</h1>"
    assert site.get(f"/{folder}/how-to").status == 404


def test_browsers_are_told_what_it_is_and_how_long_to_keep_it(site: Site, built: Path) -> None:
    docs_bucket.replace_folder(site.tools, built, "prod")
    found = {
        path: (
            site.get(f"/prod/{path}").headers["content-type"],
            site.get(f"/prod/{path}").headers["cache-control"],
        )
        for path in ("", "assets/bundle.7b2a9d31.min.js", "assets/picture.svg")
    }
    assert found == {
        "": ("text/html; charset=utf-8", "no-cache"),
        "assets/bundle.7b2a9d31.min.js": (
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        "assets/picture.svg": ("image/svg+xml", "no-cache"),
    }


def test_readers_get_the_security_headers_and_search_engines_production_alone(
    site: Site, built: Path
) -> None:
    for folder in ("prod", "staging", PREVIEW):
        docs_bucket.replace_folder(site.tools, built, folder)
        said = site.get(f"/{folder}/").headers
        assert said["content-security-policy"].startswith("default-src 'self'")
        assert said["x-content-type-options"] == "nosniff"
        assert said["strict-transport-security"].startswith("max-age=31536000")
        assert said.get("x-robots-tag") == (None if folder == "prod" else "noindex")


def test_what_is_gone_is_removed_and_other_folders_are_left_alone(site: Site, built: Path) -> None:
    # Given two folders
    docs_bucket.replace_folder(site.tools, built, "prod")
    docs_bucket.replace_folder(site.tools, built, "staging")
    # When one is published again without a page
    (built / "how-to" / "push.html").unlink()
    docs_bucket.replace_folder(site.tools, built, "staging")
    # Then it is gone there alone
    assert site.get("/staging/how-to/push.html").status == 404
    assert site.get("/prod/how-to/push.html").status == 200


def test_the_version_selector_lists_what_there_is(site: Site, built: Path) -> None:
    # When environments and a branch are published
    for folder in ("prod", "staging", PREVIEW):
        docs_bucket.replace_folder(site.tools, built, folder)
    # Then each list names its neighbours, and a preview's none of the site, which is another origin
    assert site.versions() == ["prod", "staging"]
    assert PREVIEW.removeprefix("branches/") in site.versions("branches/")
    assert not [address for address in site.versions("branches/") if address.startswith("..")]


def test_a_preview_goes_with_its_branch(site: Site, built: Path) -> None:
    # Given two previews
    other = "branches/" + branch_names.stack_name("feature/logout")
    for folder in ("prod", PREVIEW, other):
        docs_bucket.replace_folder(site.tools, built, folder)
    # When one branch goes
    assert docs_bucket.remove_preview(site.tools, PREVIEW) > 0
    # Then its pages are gone, it is listed no more, and the other is there
    assert site.get(f"/{PREVIEW}/").status == 404
    assert PREVIEW.removeprefix("branches/") not in site.versions("branches/")
    assert site.get(f"/{other}/").status == 200
    # And removing it again does nothing
    assert docs_bucket.remove_preview(site.tools, PREVIEW) == 0


@pytest.mark.parametrize(
    "folder", ["prod", "staging", "evidence", "branches", "branches/prod", "../prod", ""]
)
def test_nothing_but_a_preview_is_removed(site: Site, folder: str) -> None:
    with pytest.raises(Refused):
        docs_bucket.remove_preview(site.tools, folder)


@pytest.mark.parametrize("folder", ["evidence", "branches/main", "branches", "production", "/prod"])
def test_only_our_folders_are_published_to(site: Site, built: Path, folder: str) -> None:
    with pytest.raises(Refused, match="is no folder of the docs site"):
        docs_bucket.replace_folder(site.tools, built, folder)


def test_a_folder_without_a_site_replaces_nothing(site: Site, built: Path, tmp_path: Path) -> None:
    # Given a published site
    docs_bucket.replace_folder(site.tools, built, "prod")
    # When a build that made no pages is published
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="There is no site in"):
        docs_bucket.replace_folder(site.tools, tmp_path / "empty", "prod")
    # Then readers still have the last one
    assert site.get("/prod/").status == 200


def test_the_root_leads_to_production_s_docs(site: Site, built: Path) -> None:
    docs_bucket.replace_folder(site.tools, built, "prod")
    assert "url=prod/" in site.get("/").body


def test_nobody_reads_the_bucket_but_cloudfront(site: Site, built: Path, embedded: instance.Instance) -> None:
    # Given a published page
    docs_bucket.replace_folder(site.tools, built, "prod")
    # When it is asked for without CloudFront and without credentials
    bucket = stacks.outputs(site.tools, DOCS_STACK)["DocsBucket"]
    direct = Site(site.tools, f"{embedded.endpoint}/{bucket}").get("/prod/index.html")
    # Then it is refused
    assert direct.status == 403


def test_the_door_leads_to_distributions_alone(embedded: instance.Instance, site: Site) -> None:
    nowhere = Site(site.tools, f"{embedded.endpoint}/_cloudfront/E00000000000")
    assert nowhere.get("/prod/").status == 404


def test_each_distribution_is_an_origin_of_its_own(site: Site, built: Path) -> None:
    # Given the docs, and the previews beside them
    docs_bucket.replace_folder(site.tools, built, "prod")
    pipelines.deploy_docs(site.tools, stack=PREVIEWS_STACK)
    # When a viewer comes through the door of each
    doors = [site.url, pipelines.docs_url(site.tools, PREVIEWS_STACK)]
    with urllib.request.urlopen(f"{doors[0]}/prod/?a=b%20c") as docs:  # noqa: S310 - the embedded AWS's
        docs_address = urlsplit(docs.url)
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(f"{doors[1]}/prod/")  # noqa: S310 - the embedded AWS's
    # Then each leads to another origin, neither of them the endpoint's, and to the very page
    with missing.value as answer:
        previews_address = urlsplit(answer.url)
    origins = {address.netloc for address in (docs_address, previews_address, urlsplit(site.tools.endpoint))}
    assert len(origins) == 3
    assert (docs_address.path, docs_address.query) == ("/prod/", "a=b%20c")
