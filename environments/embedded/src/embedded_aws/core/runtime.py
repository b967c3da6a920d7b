"""What an instance's services share: folder, endpoint, settings; and a store that outlives the process."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

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

    def put(self, kind: str, *key: str, body: Mapping[str, Any]) -> None:
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


FOLDER = "services"
CACHE_VARIABLE = "EMBEDDED_AWS_CACHE"
FAILING = "failing_creations"
"""The setting that lists creations that shall fail, each `stack/LogicalId`."""
_SETTINGS = "settings.json"
_READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of AWS's documentation that are open to doubt: what leans on one is tried with all.

    A caller of the instance chooses them (`instance.choose_readings`); each default is what AWS's pages
    suggest.

    Attributes:
        rollback_variables: whose variables a stage rollback uses: those of the execution that it goes back to
            (`target`, as the user guide says), or of the one that was last in the stage (`current`).
        rollback_checks_conditions: whether a stage rollback checks the stage's conditions.
        alarm_rule_sees_composites: whether the CloudWatchAlarm rule finds composite alarms. DescribeAlarms
            returns metric alarms alone unless it is asked for both types, so by default it does not: a
            condition that holds here must not be one that AWS cannot check.
    """

    rollback_variables: Literal["target", "current"] = "target"
    rollback_checks_conditions: bool = False
    alarm_rule_sees_composites: bool = False

    def as_setting(self) -> dict[str, Any]:
        """Return {readings: their values by name}, as the settings file of an instance holds them."""
        return {_READINGS: asdict(self)}


@dataclass(frozen=True, slots=True)
class Runtime:
    """One instance's shared things.

    Attributes:
        folder: inside the state folder that MiniStack was told; kept and removed with it.
        endpoint: where every AWS service of this instance answers.
    """

    folder: Path
    store: Store
    endpoint: str
    stopping: threading.Event

    def setting(self, name: str, default: Any) -> Any:
        """Read one setting; the file may change while we run."""
        return read_settings(self.folder).get(name, default)

    def seconds(self, minutes: float) -> float:
        """Turn AWS minutes into seconds here: 60, unless the settings make time quicker."""
        return minutes * float(self.setting("minute_seconds", 60))

    def readings(self) -> Readings:
        """Return the readings that this instance follows; they may change while it runs."""
        return Readings(**self.setting(_READINGS, {}))


_current: list[Runtime] = []


def cache_folder() -> Path:
    """Return the folder of what outlives an instance: interpreters, and packages that were unpacked once.

    The variable names it; else it is the user's own cache folder for this package.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embedded-aws"


def open_runtime() -> Runtime:
    """Open the state of this process's instance; MiniStack's settings are in the environment already."""
    folder = Path(os.environ["STATE_DIR"]) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _current[:] = [
        Runtime(folder, Store(folder / "store.sqlite"), os.environ["AWS_ENDPOINT_URL"], threading.Event())
    ]
    return _current[0]


def current() -> Runtime:
    """Return what `open_runtime` opened."""
    return _current[0]


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings {minute_seconds?, readings?}; an absent file is empty."""
    try:
        settings: dict[str, Any] = json.loads((folder / _SETTINGS).read_text())
    except FileNotFoundError:
        return {}
    return settings


def write_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Replace the settings file, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{_SETTINGS}.new"
    scratch.write_text(json.dumps(settings, indent=1))
    scratch.replace(folder / _SETTINGS)
