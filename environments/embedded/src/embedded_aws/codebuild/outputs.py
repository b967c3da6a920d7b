"""What a build leaves: artifacts, put into S3 as its role, and the project's cache for its next build.

The buildspec names the folders of a cache. Only folders can be cached, they are linked in before the build,
and cached items win over the source's own. A cache of type S3 is kept the same way here, in a folder instead
of the bucket, for copying it in every build would only cost time; but only for a role that may read and write
it there.

https://docs.aws.amazon.com/codebuild/latest/userguide/caching-local.html
"""

import hashlib
import itertools
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.core import globs, runtime
from embedded_aws.core.api import Json
from embedded_aws.iam import role_sessions

_OWN_KEY = ":alias/aws/s3"  # what a project has that names none
_QUICKLY = 1  # an artifact never leaves this machine, and most of it is compressed already


class ArtifactsMissing(Exception):  # noqa: N818 - it says what happened
    """The artifacts cannot be uploaded; the message is the phase's."""


def upload(build: Json, declared: Json, source: Path, s3: Any) -> None:
    """Upload the primary and the secondary artifacts.

    Raises:
        ArtifactsMissing: nothing matches, an artifact is not declared, or S3 refuses.
    """
    if build["artifacts"].get("type", "NO_ARTIFACTS") != "NO_ARTIFACTS":
        _one(build, build["artifacts"], declared, source, s3)
    secondary = declared.get("secondary-artifacts") or {}
    for target in build.get("secondaryArtifacts", []):
        name = target["artifactIdentifier"]
        if name not in secondary:
            raise ArtifactsMissing(
                f"CLIENT_ERROR: artifact {name} is not declared in the buildspec's secondary-artifacts"
            )
        _one(build, target, secondary[name], source, s3)


def _one(build: Json, target: Json, declared: Json, source: Path, s3: Any) -> None:
    if target["type"] != "S3":
        raise ArtifactsMissing(
            f"Artifacts of type {target['type']} are written by a pipeline, not by a build alone."
        )
    files = chosen(declared, source)
    if not files:
        raise ArtifactsMissing("CLIENT_ERROR: no matching artifact paths found")
    prefix = "/".join(part.strip("/") for part in _prefix(build, target, declared) if part.strip("/"))
    try:
        if target.get("packaging") == "ZIP":
            archive = source.parent / "artifact.zip"
            pack(files, archive)
            _put(s3, target, prefix, archive, _encryption(build, target))
        else:
            for name, file in files.items():
                _put(s3, target, f"{prefix}/{name}".strip("/"), file, _encryption(build, target))
    except ClientError as error:
        raise ArtifactsMissing(
            f"CLIENT_ERROR: {error.response['Error']['Code']}: {error.response['Error']['Message']}"
        ) from None
    target["location"] = (
        f"arn:aws:s3:::{target['location'].removeprefix('arn:aws:s3:::').partition('/')[0]}/{prefix}"
    )


def _prefix(build: Json, target: Json, declared: Json) -> tuple[str, ...]:
    namespace = build["id"].partition(":")[2] if target.get("namespaceType") == "BUILD_ID" else ""
    name = (
        declared.get("name")
        if target.get("overrideArtifactName") and declared.get("name")
        else target.get("name")
    )
    return target.get("path") or "", namespace, name or build["projectName"]


def _encryption(build: Json, target: Json) -> dict[str, str]:
    """By the project's key; without one, S3 does as the bucket says (API reference, Project)."""
    key = build.get("encryptionKey") or ""
    if target.get("encryptionDisabled") or not key or key.endswith(_OWN_KEY):
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


def _put(s3: Any, target: Json, key: str, file: Path, encryption: dict[str, str]) -> None:
    bucket = target["location"].removeprefix("arn:aws:s3:::")
    with file.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)


def chosen(declared: Json, source: Path) -> dict[str, Path]:
    """Choose files by the buildspec's `files`, `exclude-paths`, `base-directory` and `discard-paths`.

    https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files

    Returns:
        The files by the name that they get in the artifact.
    """
    files: dict[str, Path] = {}
    wanted, excluded = _patterns(declared, "files"), _patterns(declared, "exclude-paths")
    for base in _bases(declared.get("base-directory"), source):
        for place in sorted({file for pattern in wanted for file in _walk(base, pattern)}):
            name = place.relative_to(base).as_posix()
            if _matches(wanted, name) and not _matches(excluded, name):
                files[place.name if _yes(declared.get("discard-paths")) else name] = place
    return files


def _bases(pattern: str | None, source: Path) -> list[Path]:
    if not pattern:
        return [source]
    pattern = pattern.removeprefix(f"{source}/").rstrip("/")
    if not any(character in pattern for character in "*?{"):
        return [source / pattern]
    return [
        folder
        for folder in sorted(source.rglob("*"))
        if folder.is_dir() and globs.matches(pattern, folder.relative_to(source).as_posix())
    ]


def _walk(base: Path, pattern: str) -> list[Path]:
    """The files below the folder that a pattern names before its first wildcard: a checkout is large."""
    fixed = itertools.takewhile(lambda part: not set(part) & set("*?{"), pattern.split("/"))
    start = base.joinpath(*fixed)
    if start.is_file():
        return [start]
    return [Path(folder) / name for folder, _, names in os.walk(start, followlinks=False) for name in names]


def _patterns(declared: Json, key: str) -> list[str]:
    patterns = declared.get(key) or []
    return [pattern.removeprefix("./") for pattern in ([patterns] if isinstance(patterns, str) else patterns)]


def _matches(patterns: list[str], name: str) -> bool:
    return any(globs.matches(pattern, name) for pattern in patterns)


def _yes(value: Any) -> bool:
    return value is True or str(value).lower() == "yes"


def pack(files: dict[str, Path], archive: Path) -> None:
    """Write a zip with the files' permissions."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICKLY) as zipped:
        for name, file in files.items():
            zipped.write(file, name)


_HOMES = ("/root/", "~/", "$HOME/")


def link_cache(
    build: Json, paths: tuple[str, ...], source: Path, home: Path, session: role_sessions.RoleSession
) -> list[str]:
    """Link the cached folders into a build's folders; return a line to log for each."""
    cache = build.get("cache") or {}
    local = cache.get("type") == "LOCAL" and "LOCAL_CUSTOM_CACHE" in cache.get("modes", [])
    if not local and cache.get("type") != "S3":
        return ["Cache: the project has none"] if paths else []
    if not local and (
        refusal := _refused(f"arn:aws:s3:::{cache['location']}/{build['projectName']}", session)
    ):
        return [f"Cache: not used: {refusal}"]
    return [_link(build["projectName"], path, source, home) for path in paths]


def _refused(place: str, session: role_sessions.RoleSession) -> str:
    """Why a build's role may not use a place in a bucket as its cache; nothing when it may."""
    try:
        for action in ("s3:GetObject", "s3:PutObject"):
            role_sessions.require_permission(session, action, place)
    except role_sessions.NotAuthorized as refused:
        return str(refused)
    return ""


def _link(project: str, path: str, source: Path, home: Path) -> str:
    folder = path.split("*", maxsplit=1)[0].rstrip("/")
    place = source / folder
    for prefix in _HOMES:
        if folder.startswith(prefix):
            place = home / folder.removeprefix(prefix)
    if not folder or not place.resolve().is_relative_to(source.parent.resolve()):
        return f"Cache: {path} is outside of the source and the home folder, and is not cached here"
    name = hashlib.sha256(f"{project}\0{folder}".encode()).hexdigest()[:20]
    kept = runtime.current().folder / "cache" / name
    existed = kept.is_dir()
    kept.mkdir(parents=True, exist_ok=True)
    if place.is_dir():  # cached items win over the source's own
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(kept, target_is_directory=True)
    return f"Cache: {path} {'found' if existed else 'is new'}"
