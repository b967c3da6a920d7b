"""The pages as MkDocs reads them: docs/ copied, generated pages beside it, and a configuration of both."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import yaml

from pipelines.docs_site import assets, generated, navigation

if TYPE_CHECKING:
    from pathlib import Path

    import click


def lay_out(root: Path, out: Path, site: Path, command: click.Group) -> Path:
    """Write everything that MkDocs needs into `out`, anew.

    Args:
        root: The repository: its docs/ and mkdocs.yml.
        out: A folder of nobody else's.
        site: Where MkDocs is to put the site.
        command: The command line, which the reference describes.

    Returns:
        The configuration file to build.
    """
    shutil.rmtree(out, ignore_errors=True)
    docs = out / "docs"
    shutil.copytree(root / "docs", docs)
    vendor = docs / "assets" / "vendor"
    vendor.mkdir(parents=True)
    shutil.copyfile(assets.fetch(assets.MERMAID), vendor / "mermaid.min.js")
    generated.write(root, docs, command)
    settings = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = navigation.spelled_out(settings["nav"], docs)
    settings["site_dir"] = str(site)
    for extension in settings["markdown_extensions"]:
        if isinstance(extension, dict) and "pymdownx.snippets" in extension:
            # Else a page could show a file's content only to who stands in the repository.
            extension["pymdownx.snippets"]["base_path"] = [str(docs)]
    file = out / "mkdocs.yml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
