"""What the gateway has answered, on disk before it is answered: `kill -9` of the gateway loses nothing.

One SQLite file. A request and the answer kept under its idempotency key are one transaction, so a gateway
that is killed has either done a request or not. The operating system keeps what a killed process wrote, so
a commit does not wait for the disk (`synchronous=NORMAL`); only a power cut could lose the last ones.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

VERSION = "1/localstripe-1.15.10"
"""Of the journal's meaning: replayed by anything else, a request might make other ids."""
KEYS_KEPT_SECONDS = 24 * 3600.0
"""How long an idempotency key keeps its answer (https://docs.stripe.com/api/idempotent_requests)."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS version (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    place INTEGER PRIMARY KEY, at REAL NOT NULL, seed TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    params TEXT NOT NULL, status INTEGER NOT NULL, made TEXT);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, at REAL NOT NULL, path TEXT NOT NULL, params TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answers_at ON answers (at);
"""


class Request(NamedTuple):
    """A request that was executed: all that is needed to do it again, and how it ended."""

    at: float
    seed: str
    method: str
    path: str
    params: dict[str, Any]
    status: int
    made: str | None


class Saved(NamedTuple):
    """The answer kept under an idempotency key, and the request it belongs to."""

    path: str
    params: dict[str, Any]
    status: int
    body: dict[str, Any]


class ForeignJournal(RuntimeError):  # noqa: N818 - a noun says it
    """The folder holds a journal of another version of the gateway."""


class Journal:
    """The journal file.

    Raises:
        ForeignJournal: another version of the gateway wrote it.
    """

    def __init__(self, file: Path) -> None:
        self._rows = sqlite3.connect(file)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=NORMAL")
        self._rows.executescript(_SCHEMA)
        version = self._rows.execute("SELECT name FROM version").fetchone()
        if version is None:
            with self._rows:
                self._rows.execute("INSERT INTO version VALUES (?)", (VERSION,))
        elif version[0] != VERSION:
            raise ForeignJournal(
                f"{file} was written by {version[0]}, this is {VERSION}: remove it to start anew"
            )

    def requests(self) -> Iterator[Request]:
        """Yield all requests in the order they were executed."""
        columns = "at, seed, method, path, params, status, made"
        for row in self._rows.execute(f"SELECT {columns} FROM requests ORDER BY place"):  # noqa: S608 - a constant
            at, seed, method, path, params, status, made = row
            yield Request(at, seed, method, path, json.loads(params), status, made)

    def answer(self, key: str, *, now: float) -> Saved | None:
        """Return what is still kept under an idempotency key."""
        query = "SELECT path, params, status, body FROM answers WHERE key = ? AND at >= ?"
        row = self._rows.execute(query, (key, now - KEYS_KEPT_SECONDS)).fetchone()
        return Saved(row[0], json.loads(row[1]), row[2], json.loads(row[3])) if row else None

    def record(self, request: Request, *, key: str | None, body: dict[str, Any]) -> None:
        """Store a request and its answer durably; drop keys that are kept no longer."""
        params = json.dumps(request.params)
        with self._rows:
            self._rows.execute(
                "INSERT INTO requests (at, seed, method, path, params, status, made)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*request[:4], params, *request[5:]),
            )
            if key is not None:
                self._rows.execute("DELETE FROM answers WHERE at < ?", (request.at - KEYS_KEPT_SECONDS,))
                self._rows.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                    (key, request.at, request.path, params, request.status, json.dumps(body)),
                )

    def close(self) -> None:
        """Close the file."""
        self._rows.close()
