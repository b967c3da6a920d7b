"""Everything that must outlive the process: JSON documents in one SQLite file.

One connection behind one lock: a transaction sees and changes a consistent whole, and SQLite's write-ahead
log keeps every committed one through a `kill -9`.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_aws.core.api import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, key)
)
"""
_SEPARATOR = "\x1f"  # sorts before every character a name may have, so a prefix is a range


class Store:
    """Documents by kind and key, in the order in which they were first put."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._after: list[Callable[[], None]] = []
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")  # survives a killed process
        self._database.execute(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing; one at a time; a nested one joins the outer."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("ROLLBACK")
                    self._after.clear()
                raise
            self._depth -= 1
            if self._depth > 0:
                return
            self._database.execute("COMMIT")
            after, self._after = self._after, []
        for act in after:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do something once the current transaction is committed; at once when there is none."""
        with self._lock:
            if self._depth:
                self._after.append(act)
                return
        act()

    def get(self, kind: str, *key: str) -> Json | None:
        """Read one document, as `put` got it."""
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, _SEPARATOR.join(key))
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, *key: str, body: Json) -> None:
        """Write one document; it keeps its place in the order when it is there already."""
        with self._lock:
            self._database.execute(
                "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, _SEPARATOR.join(key), json.dumps(body)),
            )

    def delete(self, kind: str, *key: str) -> None:
        """Remove a document, and those below it."""
        exact = _SEPARATOR.join(key)
        with self._lock:
            self._database.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, exact))
            self._database.execute(
                "DELETE FROM documents WHERE kind = ? AND key > ? AND key < ?", (kind, *_below(exact))
            )

    def all(self, kind: str, *prefix: str) -> list[Json]:
        """Read every document below a key, as `put` got it, oldest first."""
        where, values = "kind = ?", [kind]
        if prefix:
            where += " AND key > ? AND key < ?"
            values += _below(_SEPARATOR.join(prefix))
        with self._lock:
            rows = self._database.execute(
                f"SELECT body FROM documents WHERE {where} ORDER BY sequence",  # noqa: S608 - two fixed clauses
                values,
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._database.execute("DELETE FROM documents")


def _below(key: str) -> tuple[str, str]:
    return key + _SEPARATOR, key + chr(ord(_SEPARATOR) + 1)
