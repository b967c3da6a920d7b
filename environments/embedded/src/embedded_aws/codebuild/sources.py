"""A build's source, brought into a clean folder: a zip from S3, a clone that it refers to, or nothing."""

import contextlib
import itertools
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.codeconnections import repositories
from embedded_aws.core import runtime
from embedded_aws.core.api import Json

CLONE_REFERENCE = ".codesuite-clone.json"
_EXECUTABLE = 0o111


class SourceUnavailable(Exception):  # noqa: N818 - it says what happened
    """The source cannot be downloaded; the message is the phase's."""


def download(source: Json, version: str | None, s3: Any, folder: Path) -> None:
    """Fill `folder`, which is new, with a source.

    Raises:
        SourceUnavailable: it is not there, the build's role may not read it, or its type is not emulated.
    """
    folder.mkdir(parents=True)
    kind = source["type"]
    if kind == "NO_SOURCE":
        return
    if kind == "CODEPIPELINE":
        raise SourceUnavailable(
            "A project with a CODEPIPELINE source is started by a pipeline, not by itself."
        )
    if kind != "S3":
        raise SourceUnavailable(f"A source of type {kind} is not emulated here.")
    bucket, _, key = source["location"].removeprefix("arn:aws:s3:::").partition("/")
    archive = folder.with_suffix(".zip")
    try:
        stored = s3.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
    except ClientError as error:
        text = error.response["Error"]
        raise SourceUnavailable(
            f"CLIENT_ERROR: {text['Code']}: {text['Message']} for primary source {source['location']}"
        ) from None
    archive.write_bytes(stored["Body"].read())
    unpack(archive, folder)
    archive.unlink()
    reference = folder / CLONE_REFERENCE
    if reference.is_file():
        _clone(json.loads(reference.read_text()), folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip with the permissions that it records; no member can leave the folder."""
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            place = Path(zipped.extract(member, folder))  # drops absolute and parent parts of names
            mode = member.external_attr >> 16
            if place.is_file() and mode & _EXECUTABLE:
                place.chmod(place.stat().st_mode | _EXECUTABLE)


def _clone(reference: Json, folder: Path) -> None:
    """Fetch the commit with its history: https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-codecommit-gitclone.html."""
    (folder / CLONE_REFERENCE).unlink()
    repository = repositories.find(reference["FullRepositoryId"])
    for arguments in (
        ["clone", "--quiet", "--no-checkout", str(repository), str(folder)],
        ["-C", str(folder), "checkout", "--quiet", reference["CommitId"]],
    ):
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - git, with arguments of ours
        if done.returncode:
            raise SourceUnavailable(f"CLIENT_ERROR: git clone failed: {done.stderr.strip()}")


def clear_folders() -> None:
    """Remove the folders of builds that nothing runs any more."""
    shutil.rmtree(_folders(), ignore_errors=True)


def free_folder() -> Path:
    """Make the first folder that no build has: what tools keep by path serves the next build in it, too."""
    builds = _folders()
    builds.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            (builds / str(number)).mkdir()
            break
    return builds / str(number)


def _folders() -> Path:
    return runtime.current().folder / "builds"
