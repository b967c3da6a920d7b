"""Whether a secret stands in a file, or ever stood in one.

What looks like a secret and is none is listed in `not_secrets.yml` by the SHA-1 of its value, with the
reason; one that is listed and was never in any file is a finding of the history.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from environments.files import read_yaml
from pipelines.core import git
from pipelines.core.repository import CACHE
from pipelines.supply_chain.check_result import CannotCheck, CheckResult, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LISTED: Final = Path(__file__).with_name("not_secrets.yml")
NOTES: Final = CACHE / "secrets"
_MADE_HERE: Final = {".git", ".venv", ".cache", "dist", "site", "reports", ".embedded"}
"""What make and git write at the top of a checkout (.gitignore)."""
_BY_TOOLS: Final = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}
_BY_TOOLS_TOO: Final = {".hypothesis", ".coverage"}
_FILTERS: Final = (
    "heuristic.is_indirect_reference",
    "heuristic.is_likely_id_string",
    "heuristic.is_lock_file",
    "heuristic.is_not_alphanumeric_string",
    "heuristic.is_potential_uuid",
    "heuristic.is_prefixed_with_dollar_sign",
    "heuristic.is_sequential_string",
    "heuristic.is_swagger_file",
    "heuristic.is_templated_secret",
)
"""detect-secrets' own, without the one that asks a service whether a secret works, and without the comment
that switches it off: what is none says so in one list, with its reason."""
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Text:
    """A file at some commit: the id of its blob in git, and a path that it had."""

    blob: str
    path: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that looks like a secret. Its value is never kept.

    Attributes:
        path: The file.
        line: Where in it, from 1.
        kind: What it looks like.
        digest: The SHA-1 of the value.
    """

    path: str
    line: int
    kind: str
    digest: str

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{self.path}:{self.line}: looks like {self.kind} ({self.digest})"


def in_tree(root: Path, notes: Path = NOTES) -> CheckResult:
    """Scan every file of a checkout, or of an archive of one."""
    read = {_blob_id(content): (path, content) for path, content in _files(root)}
    suspicions = find_suspicions(
        [Text(blob, path) for blob, (path, _) in read.items()], lambda blob: read[blob][1], notes
    )
    return _result(f"{len(read)} files", suspicions, explained())


def in_history(root: Path, notes: Path = NOTES) -> CheckResult:
    """Scan every file that any commit of any branch ever held.

    Raises:
        CannotCheck: There is no history here, or not all of it.
    """
    if _git(root, "rev-parse", "--is-shallow-repository").strip() != b"false":
        raise CannotCheck("the clone is shallow, so older commits are not here; `git fetch --unshallow`")
    texts = list(_ever(root))
    suspicions, reasons = find_suspicions(texts, partial(_content, root), notes), explained()
    never = set(reasons) - {suspicion.digest for suspicion in suspicions}
    stale = [f"{LISTED.name}: {digest} was never in any file" for digest in never]
    commits = _git(root, "rev-list", "--all", "--count").decode().strip()
    return _result(f"{len(texts)} files of {commits} commits", suspicions, reasons, stale)


def explained(listed: Path = LISTED) -> dict[str, str]:
    """Return by SHA-1 why each listed value that looks like a secret is none."""
    return cast("dict[str, str]", read_yaml(listed.read_text(encoding="utf-8")))


def _result(
    summary: str, suspicions: list[Suspicion], reasons: Mapping[str, str], more: Iterable[str] = ()
) -> CheckResult:
    unexplained = [str(suspicion) for suspicion in suspicions if not reasons.get(suspicion.digest)]
    details = {
        suspicion.digest: reasons[suspicion.digest]
        for suspicion in suspicions
        if reasons.get(suspicion.digest)
    }
    return result_of(summary, [*unexplained, *more], {"explained": details})


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, names, files in os.walk(root):
        skipped = _BY_TOOLS | (_MADE_HERE if Path(folder) == root else set())
        names[:] = [name for name in names if name not in skipped | _BY_TOOLS_TOO]
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink() and not name.startswith(".coverage"):
                yield path.relative_to(root).as_posix(), path.read_bytes()


def _blob_id(content: bytes) -> str:
    """Return the id that git gives to this content (git book, "Git Objects")."""
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
        completed = subprocess.run(  # noqa: S603 - our own arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the git that the developer uses
            capture_output=True,
            check=False,
            # An archive that is unpacked within another checkout has no history; that one's is not its own.
            env=git.environment({"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)}),
        )
    except FileNotFoundError as error:
        raise CannotCheck("git is not installed") from error
    if completed.returncode:
        raise CannotCheck(f"there is no history here: {completed.stderr.decode().strip().splitlines()[-1]}")
    return completed.stdout


def find_suspicions(texts: list[Text], read: Callable[[str], bytes], notes: Path) -> list[Suspicion]:
    """Return everything suspicious in these texts; text that was clean is not read again.

    Args:
        texts: Where to look.
        read: Gives a text's content by its name.
        notes: A folder where the names of clean texts are noted.
    """
    noted = notes / f"clean-{_detector_digest()}"
    clean = set(noted.read_text().split()) if noted.exists() else set()
    new = [text for text in texts if text.blob not in clean]
    batches = [new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)]
    suspicions: list[Suspicion] = []
    # Forking would copy threads' locks; a second process takes a second to start.
    with ProcessPoolExecutor(min(2, len(batches)) or 1, mp_context=get_context("spawn")) as pool:
        contents = ([(text.path, read(text.blob)) for text in batch] for batch in batches)
        for batch, results in zip(batches, pool.map(_scan, contents), strict=True):
            suspicions += [suspicion for result in results for suspicion in result]
            clean |= {text.blob for text, result in zip(batch, results, strict=True) if not result}
    notes.mkdir(parents=True, exist_ok=True)
    noted.write_text("\n".join(sorted(clean)))
    return suspicions


def _scan(files: list[tuple[str, bytes]]) -> list[list[Suspicion]]:
    """Scan some files in a worker process."""
    with tempfile.TemporaryDirectory() as place:
        return [list(_in_file(Path(place) / str(number), *file)) for number, file in enumerate(files)]


def _in_file(place: Path, path: str, content: bytes) -> Iterator[Suspicion]:
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - half a second that others need not wait
    from detect_secrets.settings import transient_settings  # noqa: PLC0415 - the same

    file = place / path  # some detectors look at the name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with transient_settings(_settings()):
        detected: set[tuple[int, str, str]] = {
            (secret.line_number, secret.type, secret.secret_hash) for secret in scan_file(str(file))
        }
    for line, kind, digest in sorted(detected):
        yield Suspicion(path, line, kind, digest)


def _settings() -> dict[str, Any]:
    from detect_secrets.core.plugins.util import (  # noqa: PLC0415 - as above
        get_mapping_from_secret_type_to_class as detectors,
    )

    classes: dict[str, type] = detectors()
    return {
        "plugins_used": [{"name": detector.__name__} for detector in classes.values()],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }


def _detector_digest() -> str:
    """Return a digest of the detectors and filters, by which clean text is remembered."""
    detectors = f"{metadata.version('detect-secrets')} {_FILTERS}"
    return hashlib.sha256(detectors.encode()).hexdigest()[:12]
