"""What in a file looks like a secret, as detect-secrets sees it; text that was clean is not read again."""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """A file at some time: its content's name as git has it, and a path that it had."""

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
        """One line for a person."""
        return f"{self.path}:{self.line}: looks like {self.kind} ({self.digest})"


def find(texts: list[Text], read: Callable[[str], bytes], notes: Path) -> list[Suspicion]:
    """Everything suspicious in these texts.

    Args:
        texts: What to look at.
        read: Gives a text's content by its name.
        notes: A folder where the names of clean texts are noted.
    """
    noted = notes / f"clean-{_judge()}"
    clean = set(noted.read_text().split()) if noted.exists() else set()
    new = [text for text in texts if text.blob not in clean]
    batches = [new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)]
    found: list[Suspicion] = []
    # Forking would copy threads' locks; a second process takes a second to start.
    with ProcessPoolExecutor(min(2, len(batches)) or 1, mp_context=get_context("spawn")) as pool:
        contents = ([(text.path, read(text.blob)) for text in batch] for batch in batches)
        for batch, results in zip(batches, pool.map(_scan, contents), strict=True):
            found += [suspicion for result in results for suspicion in result]
            clean |= {text.blob for text, result in zip(batch, results, strict=True) if not result}
    notes.mkdir(parents=True, exist_ok=True)
    noted.write_text("\n".join(sorted(clean)))
    return found


def _scan(files: list[tuple[str, bytes]]) -> list[list[Suspicion]]:
    """Judge some files, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        return [list(_in_file(Path(place) / str(number), *file)) for number, file in enumerate(files)]


def _in_file(place: Path, path: str, content: bytes) -> Iterator[Suspicion]:
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - half a second that others need not wait
    from detect_secrets.settings import transient_settings  # noqa: PLC0415 - the same

    file = place / path  # some detectors look at the name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with transient_settings(_settings()):
        found: set[tuple[int, str, str]] = {
            (one.line_number, one.type, one.secret_hash) for one in scan_file(str(file))
        }
    for line, kind, digest in sorted(found):
        yield Suspicion(path, line, kind, digest)


def _settings() -> dict[str, Any]:
    from detect_secrets.core.plugins.util import (  # noqa: PLC0415 - as above
        get_mapping_from_secret_type_to_class as detectors,
    )

    known: dict[str, type] = detectors()
    return {
        "plugins_used": [{"name": one.__name__} for one in known.values()],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }


def _judge() -> str:
    """What a clean text was judged by."""
    said = f"{metadata.version('detect-secrets')} {_FILTERS}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]
