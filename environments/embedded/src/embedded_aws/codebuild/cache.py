"""A project's cache: folders, named by the buildspec, that the next build of the project finds again.

https://docs.aws.amazon.com/codebuild/latest/userguide/caching-local.html: only folders can be cached, they
are linked in before the build, and cached items win over the source's own. A cache of type S3 is kept the
same way here, in a folder instead of the bucket, for copying it in every build would only cost time; but only
for a role that may read and write it there.
"""

import hashlib
import shutil
from pathlib import Path

from embedded_aws.core import runtime
from embedded_aws.core.api import Json
from embedded_aws.iam import role_sessions

_HOMES = ("/root/", "~/", "$HOME/")


def link(
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
