"""Records of checks that passed, kept by the digest of the source, so that no source is checked twice.

The reports of a check that passed are kept in `.cache/checked/<zone>/`, those of the proof of the money path
in `.cache/proven/<zone>/`, which CodeBuild's cache holds between builds of one project. A release takes no
record that a branch's build made: whoever pushes a branch could make one up. Only reports are kept: what is
deployed is made anew by every build.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.core import zone
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTS: Final = ROOT / "reports"
_GENERATED: Final = {".git", ".venv", ".cache", "dist", "site", "reports", ".embedded"}
"""Folders that make and git write at the top of a checkout; none is source (.gitignore)."""
_LEFT_BY_TOOLS: Final = {
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".import_linter_cache",
    ".hypothesis",
}
_LEFT_BY_COVERAGE: Final = ".coverage"
"""What its files begin with; a process that is killed leaves one."""
_MOST_RECORDS: Final = 20
_BUILD: Final = "CODEBUILD_BUILD_ID"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a build checks a source for.

    Attributes:
        target: The target of make that does it.
        records: Where reports of earlier checks are, a folder for each zone of trust.
        file: The record's file beside the reports.
        failed: What is said of a source that does not pass.
        part: What is checked of all that there is; empty for all of it. No part is taken for another one.
    """

    target: str
    records: Path
    file: str
    failed: str
    part: str = ""


CHECK: Final = Kind("check", CACHE / "checked", "checked.json", "The check failed")
SHORTENED: Final = "shortened"
"""The part of the money path that a rehearsal's build proves."""
MONEY_PATH: Final = "PAYMENTS_MONEY_PATH"
"""The environment variable that says which part of it a build proves; on AWS no build has it."""


def money_path() -> Kind:
    """Return the proof of the money path, of the part that this build proves."""
    part = SHORTENED if os.environ.get(MONEY_PATH) == SHORTENED else ""
    return Kind("money-path", CACHE / "proven", "proven.json", "The money path is not proven", part)


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A check that passed.

    Attributes:
        source: The digest of the source, and of what it was checked with.
        at: When, as ISO 8601.
        build: The CodeBuild build that did it; empty on a developer's machine.
        seconds: How long it took.
        zone: Whose build did it; no other zone's record is ever taken.
        reused: Whether an earlier build did it, of the very same source.
        part: What was checked of all that there is; empty for all of it.
        machine: What kind of machine did it, as `x86_64`.
    """

    source: str
    at: str
    build: str
    seconds: float
    zone: str
    reused: bool = False
    part: str = ""
    machine: str = ""


def check(kind: Kind = CHECK, *, again: bool = False) -> CheckRecord:
    """Run a check by make, unless this very source passed it in this zone; its reports are in `reports/`.

    Args:
        kind: What to check it for.
        again: Run it whatever passed before.

    Raises:
        Refused: The check failed, or the source changed under it.
    """
    source = digest(ROOT)
    place = kind.records / zone.current() / "-".join(filter(None, (source, kind.part)))
    earlier = None if again else _restore(kind, place)
    if earlier is not None:
        return earlier
    begun = time.monotonic()
    shutil.rmtree(REPORTS, ignore_errors=True)
    command = ["make", "--no-print-directory", kind.target, f"PART={kind.part}"]
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - the developer's make
    if done.returncode:
        raise Refused(f"{kind.failed}; see above.", f"make {kind.target}")
    if digest(ROOT) != source:
        raise Refused("The source changed while it was checked.", "Check again.")
    record = CheckRecord(
        source,
        datetime.now(UTC).isoformat(timespec="seconds"),
        os.environ.get(_BUILD, ""),
        round(time.monotonic() - begun, 1),
        zone.current(),
        part=kind.part,
        machine=platform.machine(),
    )
    (REPORTS / kind.file).write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    _keep(place)
    return record


def read(reports: Path, kind: Kind = CHECK) -> CheckRecord | None:
    """Return the record beside reports, or None where they were made without one."""
    try:
        return CheckRecord(**json.loads((reports / kind.file).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def digest(root: Path, machine: str = "") -> str:
    """Return the SHA-256 of each source file's name, mode and content, and of the Python that checks them.

    Args:
        root: Where the files are.
        machine: The kind of machine that checks them; this one's, where none is named.
    """
    total = hashlib.sha256(f"{sys.version_info[:2]} {machine or platform.machine()}\n".encode())
    for path in sorted(_files(root)):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        executable = os.access(path, os.X_OK)
        line = f"{path.relative_to(root).as_posix()}\0{executable}\0{hashlib.sha256(content).hexdigest()}\n"
        total.update(line.encode())
    return total.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        directory = Path(folder)
        skipped = _LEFT_BY_TOOLS | (_GENERATED if directory == root else set())
        names[:] = [name for name in names if name not in skipped]
        yield from (directory / name for name in files if not name.startswith(_LEFT_BY_COVERAGE))


def _restore(kind: Kind, place: Path) -> CheckRecord | None:
    earlier = read(place, kind)
    if earlier is None or (earlier.zone, earlier.part) != (zone.current(), kind.part):
        return None
    shutil.rmtree(REPORTS, ignore_errors=True)
    shutil.copytree(place, REPORTS)
    reused = CheckRecord(**asdict(earlier) | {"reused": True})
    (REPORTS / kind.file).write_text(json.dumps(asdict(reused)) + "\n", encoding="utf-8")
    return reused


def _keep(place: Path) -> None:
    """Keep the reports whole or not at all, and forget the oldest."""
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=place.parent, prefix="."))
    shutil.copytree(REPORTS, made, dirs_exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    made.rename(place)
    records = sorted(
        (record for record in place.parent.iterdir() if record.name[0] != "."), key=_age, reverse=True
    )
    for old in records[_MOST_RECORDS:]:
        shutil.rmtree(old, ignore_errors=True)


def _age(place: Path) -> float:
    return place.stat().st_mtime
