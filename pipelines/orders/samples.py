"""Files of sample products, users and orders, checked whole before anything is done with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused
from pipelines.orders.sample_schemas import Kind, kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Bodies = dict[str, dict[str, Any]]

_SHOWN: Final = 20
_WHOLE: Final = "body"
"""What the shapes call a record that is not inside anything."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Bodies for the data API, by id."""

    products: Bodies = field(default_factory=dict)
    users: Bodies = field(default_factory=dict)
    orders: Bodies = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.products) + len(self.users) + len(self.orders)


def read(paths: Iterable[Path], currency: str) -> Samples:
    """Read and check files of one record, a list of records, or lists under `products`, `users` and `orders`.

    Args:
        paths: The files.
        currency: What the amounts are in, ISO 4217.

    Raises:
        Refused: Something is wrong in some file; every finding with its file and place in it.
    """
    reading = _Reading(kinds(currency))
    for path in paths:
        try:
            for at, record in _records(_parsed(path)):
                reading.add(path, at, record)
        except (OSError, ValueError, RecursionError) as error:
            reading.findings.append(f"{path}: {error}")
    if findings := reading.findings:
        more = [f"and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []
        raise Refused("Nothing was loaded.\n" + "\n".join(findings[:_SHOWN] + more))
    return reading.samples


@dataclass(slots=True)
class _Reading:
    """What was found so far: good records, wrong ones, and where each id was first seen."""

    kinds: list[Kind]
    samples: Samples = field(default_factory=Samples)
    findings: list[str] = field(default_factory=list)
    seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, path: Path, at: str, record: object) -> None:
        """Add a record to the samples, or note what is wrong with it."""
        place = f"{path}: {'the file' if at == _WHOLE else at}"
        keys = record if isinstance(record, dict) else {}
        kind = next((kind for kind in self.kinds if kind.key in keys), None)
        if kind is None:
            unknown = "has no order_id, product_id or user_id, so it is no order, product or user"
            self.findings.append(f"{place}: {unknown}")
        elif broken := [f"{path}: {error.field}: {error.rule}" for error in kind.shape.check(record, at)]:
            self.findings += broken
        else:
            self._keep(kind, keys, place)

    def _keep(self, kind: Kind, record: dict[str, Any], place: str) -> None:
        key, body = record[kind.key], kind.body(record)
        bodies: Bodies = getattr(self.samples, kind.plural)
        if bodies.setdefault(key, body) != body:
            first = self.seen[kind.plural, key]
            self.findings.append(f"{place}: {kind.key} {key} is another one than in {first}")
        self.seen.setdefault((kind.plural, key), place)


def _records(document: object) -> Iterator[tuple[str, object]]:
    """Each record of a document with its place in it."""
    if isinstance(document, dict) and document and set(document) <= {"products", "users", "orders"}:
        for name, records in document.items():
            if not isinstance(records, list):
                raise ValueError(f"{name}: must be a list")  # noqa: TRY004 - a file is wrong, not a program
            yield from ((f"{name}[{index}]", record) for index, record in enumerate(records))
    elif isinstance(document, list):
        yield from ((f"[{index}]", record) for index, record in enumerate(document))
    else:
        yield _WHOLE, document


def _parsed(path: Path) -> object:
    """JSON as it stands there: numbers exact, no key twice, nothing that is no JSON."""
    return json.loads(
        path.read_text(encoding="utf-8"),
        parse_float=Decimal,
        parse_constant=_no_json,
        object_pairs_hook=_each_key_once,
    )


def _no_json(word: str) -> object:
    raise ValueError(f"{word} is no JSON number")


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return found
