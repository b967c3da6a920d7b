"""Where and when a byte of a release is changed, and what changes it: rows of `test_live_release.py`."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.build import provenance
from pipelines.orders import payment_stack
from tests.hostile.attack.live import Moment, Pipeline
from tests.rehearsal.test_running_stack import Tampering

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.promotion.execution import Promotion

    Change = Callable[[Pipeline, Promotion, random.Random], Callable[[], None]]


def nothing() -> None:
    """Leave it as it is: the next release makes its own."""


def _flipped(content: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    return content[:place] + bytes([content[place] ^ draw.randrange(1, 256)]) + content[place + 1 :]


def _member(artifact: str, files: str) -> Change:
    """Change a byte of a drawn file in an artifact's archive, in the bucket of artifacts."""

    def change(pipeline: Pipeline, release: Promotion, draw: random.Random) -> Callable[[], None]:
        bucket, key = pipeline.artifact(release, artifact)
        s3, changed = pipeline.tools.s3, io.BytesIO()
        before = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(changed, "w") as new:
            name = draw.choice(sorted(each for each in old.namelist() if re.search(files, each)))
            for each in old.infolist():
                content = old.read(each)
                new.writestr(each, _flipped(content, draw) if each.filename == name else content)
        s3.put_object(Bucket=bucket, Key=key, Body=changed.getvalue())
        return lambda: s3.put_object(Bucket=bucket, Key=key, Body=before) and None

    return change


def _on_disk(files: Callable[[Pipeline, Promotion], list[Path]]) -> Change:
    """Change a byte of each file on the disk of a cache, an index or a store."""

    def change(pipeline: Pipeline, release: Promotion, draw: random.Random) -> Callable[[], None]:
        before = {path: path.read_bytes() for path in files(pipeline, release)}
        for path, content in before.items():
            path.unlink()  # it may be a link that something else shares
            path.write_bytes(_flipped(content, draw))

        def undo() -> None:
            for path, content in before.items():
                path.write_bytes(content)

        return undo

    return change


def _wheels(pipeline: Pipeline, release: Promotion) -> list[Path]:
    """Return every wheel that a build keeps, in whatever cache."""
    del release
    folders = (pipeline.instance.root / "caches", pipeline.instance.root / "state" / "services" / "cache")
    return sorted(wheel for folder in folders for wheel in folder.rglob("*.whl"))


def _library(pipeline: Pipeline, release: Promotion) -> list[Path]:
    """Return the published library, as the index serves it."""
    del release
    return sorted((pipeline.instance.root / "state" / "services" / "packages").rglob("payment_data-*.whl"))


def _stored(pipeline: Pipeline, release: Promotion) -> list[Path]:
    """Return the data API's package of a release where the embedded S3 keeps it."""
    bucket, key = pipeline.artifact(release, "Packages")
    body = pipeline.tools.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        manifest = json.loads(archive.read("dist/packages/manifest.json"))
    sha256 = manifest["functions"]["data_api"]["sha256"]
    folder = pipeline.instance.root / "s3"
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    ]


def _by_hand(tamper: Callable[[Tampering], Callable[[], None] | None]) -> Change:
    """Change what production runs, behind its pipeline."""

    def change(pipeline: Pipeline, release: Promotion, draw: random.Random) -> Callable[[], None]:
        del release, draw
        stack = payment_stack.connect(pipeline.prod, pipeline.prod.environment.default_stack)
        return tamper(Tampering(stack)) or nothing

    return change


@dataclass(frozen=True, slots=True)
class Row:
    """A byte that is changed.

    Attributes:
        place: Where.
        moment: When.
        change: What changes it, and returns what changes it back.
        found: The stages of which one has to fail; none when nothing reads that byte any more.
        stays: Whether no rollback undoes it, since CloudFormation changes what a template changes.
    """

    place: str
    moment: Moment
    change: Change
    found: tuple[str, ...] = ()
    stays: bool = False

    @property
    def name(self) -> str:
        """Return place and moment, for a reader."""
        return f"{self.place}, {self.moment.name.lower()}"


_TEMPLATES: Final = r"dist/templates/(staging|prod)/.*\.json$"
_PROD_TEMPLATES: Final = r"dist/templates/prod/.*\.json$"
_PACKAGES: Final = rf"dist/(packages|settings)/(?!.*{provenance.FILE})"
_RECORD: Final = r"record\.json$"
_TO_APPROVE: Final = ("Approve", "Verify")
ROWS: Final = (
    Row("the source that ships", Moment.BUILT, _member("Source", r"^lambdas/.*\.py$"), ("Publish",)),
    Row("a template of Build", Moment.BUILT, _member("Built", _TEMPLATES), ("Publish",)),
    Row("every wheel in a cache", Moment.BUILT, _on_disk(_wheels)),
    Row("a template of Build", Moment.PUBLISHED, _member("Built", _TEMPLATES), ("Staging",)),
    Row("a package or setting", Moment.PUBLISHED, _member("Packages", _PACKAGES), ("Staging",)),
    Row("the package store", Moment.PUBLISHED, _on_disk(_stored), ("Staging",)),
    Row("the published library", Moment.PUBLISHED, _on_disk(_library)),
    Row("a template of Build", Moment.STAGED, _member("Built", _PROD_TEMPLATES), _TO_APPROVE),
    Row("a package or setting", Moment.STAGED, _member("Packages", _PACKAGES), _TO_APPROVE),
    Row("the record of staging", Moment.STAGED, _member("Recorded", _RECORD), ("Verify",)),
    Row("a template of Build", Moment.WAITING, _member("Built", _PROD_TEMPLATES), ("Verify",)),
    Row("the record of the review", Moment.WAITING, _member("Reviewed", _RECORD), ("Verify",)),
    Row("a package or setting", Moment.WAITING, _member("Packages", _PACKAGES), ("Verify",)),
    Row("a package or setting", Moment.APPROVED, _member("Packages", _PACKAGES), ("Verify",)),
    Row("the record of staging", Moment.APPROVED, _member("Recorded", _RECORD), ("Verify",)),
    Row("a template of Build", Moment.VERIFIED, _member("Built", _PROD_TEMPLATES), ("Production",)),
    Row("a setting", Moment.VERIFIED, _member("Packages", r"dist/settings/prod/"), ("Production",)),
    Row("the record of the review", Moment.VERIFIED, _member("Reviewed", _RECORD), ("Production",)),
    Row("the package store", Moment.VERIFIED, _on_disk(_stored), ("Production",)),
    Row("a function's code", Moment.DEPLOYED, _by_hand(Tampering.shifted_code), ("Production",)),
    Row("the workflow", Moment.DEPLOYED, _by_hand(Tampering.shifted_workflow), ("Production",)),
    Row("the API", Moment.DEPLOYED, _by_hand(Tampering.opened_route), ("Production",), stays=True),
)
