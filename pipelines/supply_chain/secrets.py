"""Whether a secret stands in a file, or ever stood in one.

What looks like a secret and is none is listed in `not_secrets.yml` by the SHA-1 of its value, with the
reason; one that is listed and was never in any file is a finding of the history.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from environments.strict_yaml import read as read_yaml
from pipelines.core.repository import CACHE
from pipelines.supply_chain.suspicions import Suspicion, Text, find
from pipelines.supply_chain.verdict import CannotCheck, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LISTED: Final = Path(__file__).with_name("not_secrets.yml")
NOTES: Final = CACHE / "secrets"
_MADE_HERE: Final = {".git", ".venv", ".cache", "dist", "site", "reports", ".embedded"}
"""What make and git write at the top of a checkout (.gitignore)."""
_BY_TOOLS: Final = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}
_BY_TOOLS_TOO: Final = {".hypothesis", ".coverage"}


def in_tree(root: Path, notes: Path = NOTES) -> Verdict:
    """Look at every file of a checkout, or of an archive of one."""
    read = {_name(content): (path, content) for path, content in _files(root)}
    found = find([Text(blob, path) for blob, (path, _) in read.items()], lambda blob: read[blob][1], notes)
    return _judged(f"{len(read)} files", found, explained())


def in_history(root: Path, notes: Path = NOTES) -> Verdict:
    """Look at every file that any commit of any branch ever held.

    Raises:
        CannotCheck: There is no history here, or not all of it.
    """
    if _git(root, "rev-parse", "--is-shallow-repository").strip() != b"false":
        raise CannotCheck("the clone is shallow, so older commits are not here; `git fetch --unshallow`")
    texts = list(_ever(root))
    found, reasons = find(texts, partial(_content, root), notes), explained()
    never = set(reasons) - {one.digest for one in found}
    stale = [f"{LISTED.name}: {digest} was never in any file" for digest in never]
    commits = _git(root, "rev-list", "--all", "--count").decode().strip()
    return _judged(f"{len(texts)} files of {commits} commits", found, reasons, stale)


def explained(listed: Path = LISTED) -> dict[str, str]:
    """Why each value that looks like a secret is none, by its SHA-1."""
    return cast("dict[str, str]", read_yaml(listed.read_text(encoding="utf-8")))


def _judged(
    said: str, found: list[Suspicion], reasons: Mapping[str, str], more: Iterable[str] = ()
) -> Verdict:
    open_ones = [str(one) for one in found if not reasons.get(one.digest)]
    details = {one.digest: reasons[one.digest] for one in found if reasons.get(one.digest)}
    return judged(said, [*open_ones, *more], {"explained": details})


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, names, files in os.walk(root):
        skipped = _BY_TOOLS | (_MADE_HERE if Path(folder) == root else set())
        names[:] = [name for name in names if name not in skipped | _BY_TOOLS_TOO]
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink() and not name.startswith(".coverage"):
                yield path.relative_to(root).as_posix(), path.read_bytes()


def _name(content: bytes) -> str:
    """As git names it (git book, "Git Objects")."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _ever(root: Path) -> Iterator[Text]:
    listed = _git(root, "rev-list", "--objects", "--all", "--filter=object:type=blob").decode()
    seen: set[str] = set()
    for line in listed.splitlines():
        blob, _, path = line.partition(" ")
        if path and blob not in seen:  # a commit has no path
            seen.add(blob)
            yield Text(blob, path)


def _content(root: Path, blob: str) -> bytes:
    return _git(root, "cat-file", "blob", blob)


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the git that the developer uses
            capture_output=True,
            check=False,
            # An archive that is unpacked within another checkout has no history; that one's is not its own.
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
        )
    except FileNotFoundError as error:
        raise CannotCheck("git is not installed") from error
    if done.returncode:
        raise CannotCheck(f"there is no history here: {done.stderr.decode().strip().splitlines()[-1]}")
    return done.stdout
