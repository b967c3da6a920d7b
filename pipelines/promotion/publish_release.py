"""Publishes the library and the packages from the release pipeline's builds."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from environments import schema
from environments import tools as tools_file
from pipelines.aws import accounts, build_environment
from pipelines.build import check_cache, image, library, package_manifest, packaging, provenance
from pipelines.build.provenance import Origin
from pipelines.core.refusals import Refused
from pipelines.core.repository import DIST, ROOT
from pipelines.definitions.images import IMAGE_REPOSITORY
from pipelines.definitions.packages import PACKAGE_BUCKET
from pipelines.definitions.storage import PROVENANCE_KEY
from pipelines.deploy import artifacts, embedded_overrides, synth

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.build.library import Index
    from pipelines.build.package_manifest import Manifest
    from pipelines.core.reporting import Reporter

_RELEASED: Final = ("staging", "prod")
"""The environments that a release goes through."""


def upload(manifest: Manifest, folder: Path, reporter: Reporter) -> None:
    """Store packages in the pipelines' bucket, and write into their manifest in which versions.

    Where the pipeline names a repository for images, the functions' image is built and pushed there too.
    """
    tools = accounts.connect_tools()
    bucket = build_environment.variable(PACKAGE_BUCKET)
    package_manifest.write_stored(folder, artifacts.store_packages(tools, bucket, manifest, folder, reporter))
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
    """Package the functions anew, with the library as it was published.

    Raises:
        Refused: What was published is not what the checkout holds, or a function cannot be packaged.
    """
    shutil.rmtree(package_manifest.PACKAGES, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = library.build(Path(folder))
        published = library.fetch(_index(), wheel, Path(folder) / "published")
        library.check_source(published)
        return packaging.build(library=published, progress=progress)


def sign(built: Path, proven: Path) -> int:
    """Sign what this release deploys, and write the envelope beside the packages.

    Templates are made anew here and compared with those of the build, so that nothing that lay in a bucket
    between the two is signed unseen.

    Args:
        built: The artifact of Build.
        proven: The artifact of MoneyPath.

    Returns:
        How many files the statement is about.

    Raises:
        Refused: A template is not what this source makes, or this source was not checked and proven.
    """
    key, source = build_environment.variable(PROVENANCE_KEY), check_cache.digest(ROOT)
    checked = check_cache.read(built / "reports")
    if checked is None or checked.source != source:
        raise Refused(
            "Build recorded no check of this very source: its digest is another, or there is no record.",
            "Release again.",
        )
    _require_proof(proven)
    subjects = _digests(DIST, "packages", "settings") | _templates(built / "dist")
    pushed = package_manifest.read_image(package_manifest.PACKAGES)
    if pushed is not None:
        subjects["image"] = pushed.digest.removeprefix("sha256:")
    tools = tools_file.load()
    origin = Origin(
        tools.provider,
        tools.repository,
        build_environment.variable("COMMIT"),
        source,
        package_manifest.file_digest(ROOT / "uv.lock"),
        build_environment.pipeline_name(),
        build_environment.variable("EXECUTION"),
        os.environ.get("CODEBUILD_BUILD_ARN", ""),
    )
    stated = provenance.statement(subjects, origin, packaging.wheels_of(ROOT))
    envelope = provenance.sign(accounts.connect_tools(), key, stated)
    (package_manifest.PACKAGES / provenance.FILE).write_text(json.dumps(envelope, indent=1) + "\n")
    return len(subjects)


def _require_proof(proven: Path) -> None:
    """Refuse a source whose money path was not proven, or in short where builds prove it whole."""
    kind = check_cache.money_path()
    proof = check_cache.read(proven / "reports", kind)
    # The proof may be of another kind of machine, which is part of a digest.
    if proof is None or proof.part != kind.part or proof.source != check_cache.digest(ROOT, proof.machine):
        raise Refused("MoneyPath recorded no proof of this very source.", "Release again.")


def _templates(built: Path) -> dict[str, str]:
    """Return the digests of the build's templates, after comparing them with those that this source makes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in _RELEASED:
            synth.synth(embedded_overrides.environment(schema.load(name)), Path(folder) / "templates")
        made = _digests(Path(folder), "templates")
    wrong = provenance.differences(made, built, {name: name for name in made})
    if wrong:
        raise Refused("The build's templates are not what this source makes:\n" + "\n".join(wrong))
    return made


def _digests(root: Path, *folders: str) -> dict[str, str]:
    """Return the SHA-256 of each file in folders of a root, by its path below it."""
    paths = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    unsigned = package_manifest.PACKAGES / provenance.FILE
    return {
        path.relative_to(root).as_posix(): package_manifest.file_digest(path)
        for path in paths
        if path != unsigned
    }


def _index() -> Index:
    domain, repository = (
        build_environment.variable("LIBRARY_DOMAIN"),
        build_environment.variable("LIBRARY_REPOSITORY"),
    )
    return library.index(accounts.connect_tools(), domain, repository)
