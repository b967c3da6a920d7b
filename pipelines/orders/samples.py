"""Sample products, users and orders: read from files, checked whole, then sent to the data API of a stack."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from payment_data.errors import IdempotencyMismatch, Problem
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.orders.sample_schemas import Kind, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from payment_data.client import DataApi

    Bodies = dict[str, dict[str, Any]]

_SHOWN: Final = 20
_WHOLE: Final = "body"
"""How schemas name a record that is not inside anything."""


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
        Refused: A file is wrong; the message names each broken rule with its file and place.
    """
    reading = _Reading(kinds(currency))
    for path in paths:
        try:
            for at, record in _records(_parsed(path)):
                reading.add(path, at, record)
        except (OSError, ValueError, RecursionError) as error:
            reading.errors.append(f"{path}: {error}")
    if errors := reading.errors:
        more = [f"and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
        raise Refused("Nothing was loaded.\n" + "\n".join(errors[:_SHOWN] + more))
    return reading.samples


def load(api: DataApi, samples: Samples, reporter: Reporter = NOBODY) -> dict[str, int]:
    """Create the products, users and orders in a stack; sending them again changes nothing.

    Args:
        api: The data API of the stack.
        samples: What `read` returned.
        reporter: Shows each record.

    Returns:
        The count of each kind: {products, users, orders}.

    Raises:
        Refused: The stack has another record with one of the ids, or cannot take it now; what came before
            stays, and loading the repaired files again is safe.
    """

    def send(kind: str, put: Callable[[str, dict[str, Any]], object], key: str, body: dict[str, Any]) -> None:
        reporter.passing(f"{kind} {key}")
        try:
            put(key, body)
        except IdempotencyMismatch as mismatch:
            raise Refused(f"{kind} {key} exists already and differs: {mismatch}") from mismatch
        except Problem as problem:
            raise Refused(f"{kind} {key} was refused: {type(problem).__name__}: {problem}") from problem

    work = (
        ("product", api.put_product, samples.products),
        ("user", api.put_user, samples.users),
        ("order", api.put_order, samples.orders),
    )
    with ThreadPoolExecutor(max_workers=4) as pool:
        for kind, put, bodies in work:
            for future in [pool.submit(send, kind, put, key, body) for key, body in bodies.items()]:
                future.result()
    return {f"{kind}s": len(bodies) for kind, _, bodies in work}


@dataclass(slots=True)
class _Reading:
    """The files read so far.

    Attributes:
        kinds: The kinds of records.
        samples: The good records.
        errors: What is wrong, each with its file and place.
        first: Where each id was first seen.
    """

    kinds: list[Kind]
    samples: Samples = field(default_factory=Samples)
    errors: list[str] = field(default_factory=list)
    first: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, path: Path, at: str, record: object) -> None:
        """Add a record to the samples, or to the errors."""
        place = f"{path}: {'the file' if at == _WHOLE else at}"
        keys = record if isinstance(record, dict) else {}
        kind = next((kind for kind in self.kinds if kind.key in keys), None)
        if kind is None:
            unknown = "has no order_id, product_id or user_id, so it is no order, product or user"
            self.errors.append(f"{place}: {unknown}")
        elif broken := [f"{path}: {error.field}: {error.rule}" for error in kind.check(record, at)]:
            self.errors += broken
        else:
            self._keep(kind, keys, place)

    def _keep(self, kind: Kind, record: dict[str, Any], place: str) -> None:
        key, body = record[kind.key], kind.body(record)
        bodies: Bodies = getattr(self.samples, kind.plural)
        if bodies.setdefault(key, body) != body:
            earlier = self.first[kind.plural, key]
            self.errors.append(f"{place}: {kind.key} {key} is not the same as in {earlier}")
        self.first.setdefault((kind.plural, key), place)


def _records(document: object) -> Iterator[tuple[str, object]]:
    """Yield each record of a document with its place in it."""
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
    """Return a file's JSON with exact numbers.

    Raises:
        ValueError: It is no JSON, or names a key twice.
    """
    return json.loads(
        path.read_text(encoding="utf-8"),
        parse_float=Decimal,
        parse_constant=_no_json,
        object_pairs_hook=_each_key_once,
    )


def _no_json(word: str) -> object:
    raise ValueError(f"{word} is no JSON number")


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return document
