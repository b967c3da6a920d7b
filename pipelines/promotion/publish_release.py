"""Publishes the library and the packages from the release pipeline's builds."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.aws import build_environment, tools_account
from pipelines.build import image, library, packaging
from pipelines.definitions.images import IMAGE_REPOSITORY
from pipelines.definitions.packages import PACKAGE_BUCKET
from pipelines.deploy import artifacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.build.library import Index
    from pipelines.build.packaging import Manifest
    from pipelines.core.reporting import Reporter


def upload(manifest: Manifest, folder: Path, reporter: Reporter) -> None:
    """Store packages in the pipelines' bucket, and write into their manifest in which versions.

    Where the pipeline names a repository for images, the functions' image is built and pushed there too.
    """
    tools = tools_account.connect()
    bucket = build_environment.variable(PACKAGE_BUCKET)
    packaging.write_stored(folder, artifacts.store_packages(tools, bucket, manifest, folder, reporter))
    if IMAGE_REPOSITORY in os.environ:
        pushed = image.publish(tools, build_environment.variable(IMAGE_REPOSITORY), folder, reporter)
        reporter.say(f"the image is {pushed.repository}@{pushed.digest}")


def publish_library() -> str:
    """Publish the library's version and return it."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = library.build(Path(folder))
        library.publish(_index(), wheel)
        return library.version_of(wheel)


def package_published(progress: Callable[[str], None]) -> Manifest:
    """Package the functions anew, with the library as it was published, not as the checkout has it."""
    shutil.rmtree(packaging.PACKAGES, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = library.build(Path(folder))
        published = library.fetch(_index(), wheel, Path(folder) / "published")
        return packaging.build(library=published, progress=progress)


def _index() -> Index:
    domain, repository = (
        build_environment.variable("LIBRARY_DOMAIN"),
        build_environment.variable("LIBRARY_REPOSITORY"),
    )
    return library.index(tools_account.connect(), domain, repository)
