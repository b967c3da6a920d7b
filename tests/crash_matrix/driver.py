"""The driver boundary: every command of the data API to MongoDB is a site; the server's clock is the cell's.

Stands where `MongoClient` stood, around the real one with the data API's own options, behind a memory.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.database import Database

from data_api.storage.database import note_write
from tests.crash_matrix.memory import Memory

Command = Callable[[], Any]
Cross = Callable[["Call", Command, Command | None], Any]
"""Takes what is called, the command, and half of it for a bulk; returns what the caller gets."""

# Method to command, https://www.mongodb.com/docs/manual/reference/command/
_WRITES = {
    "insert_one": "insert",
    "insert_many": "insert",
    "update_one": "update",
    "update_many": "update",
    "replace_one": "update",
    "bulk_write": "update",
    "delete_one": "delete",
    "delete_many": "delete",
    "find_one_and_update": "findAndModify",
    "find_one_and_delete": "findAndModify",
}
_READS = frozenset({"find_one", "count_documents", "distinct"})
_BULKS = frozenset({"insert_many", "bulk_write"})


class Call:
    """A command on its way: to which collection, what it is called, whether it writes, and how much."""

    def __init__(self, collection: Collection[Any], method: str, documents: int) -> None:
        self.collection = collection
        self.method = method
        self.writes = method in _WRITES
        self.documents = documents

    def sent(self) -> None:
        """Note that it was sent, as the data API's own collections do."""
        if self.writes:
            note_write()


@dataclass(frozen=True)
class Wiring:
    """What a command crosses on its way, who answers it, and the time that the server is told."""

    cross: Cross
    memory: Memory
    now: Callable[[], datetime.datetime]

    def run(self, call: Call, *what: Any, ask: Callable[..., Any]) -> Any:
        """Have a command answered; `ask` sends what `what` is once the server's clock is in it."""
        # Told when it lands: a late command meets the clock of that moment.
        told = at(self.now(), what)
        call.sent()
        return self.memory.ask(
            call.collection.name, f"{call.method}{told!r}", lambda: ask(*told), writes=call.writes
        )


class Client:
    """Stands for `pymongo.MongoClient`; whatever database is asked for, it is this one."""

    def __init__(self, database: Database[Any], wiring: Wiring) -> None:
        self._database = database
        self._wiring = wiring

    def __getitem__(self, _: str) -> Any:
        return _Database(self._database, self._wiring)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database.client, name)


class _Database:
    def __init__(self, real: Database[Any], wiring: Wiring) -> None:
        self._real = real
        self._wiring = wiring

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return _Collection(found, self._wiring) if isinstance(found, Collection) else found

    def __getitem__(self, name: str) -> Any:
        return _Collection(self._real[name], self._wiring)


class _Collection:
    def __init__(self, real: Collection[Any], wiring: Wiring) -> None:
        self._real = real
        self._wiring = wiring

    def with_options(self, **options: Any) -> "_Collection":
        return _Collection(self._real.with_options(**options), self._wiring)

    def find(self, *arguments: Any, **options: Any) -> "_Found":
        return _Found(self._real, self._wiring, arguments, options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name not in _WRITES and name not in _READS:
            raise NotImplementedError(f"{name} is no command that the crash matrix knows")

        def call(*arguments: Any, **options: Any) -> Any:
            many = list(arguments[0]) if name in _BULKS else []
            this = Call(self._real, name, max(1, len(many)))

            def run(first: tuple[Any, ...] = arguments) -> Any:
                return self._wiring.run(this, first, options, ask=lambda args, named: method(*args, **named))

            half = (many[: len(many) // 2], *arguments[1:])
            part = (lambda: run(half)) if len(many) > 1 else None
            return self._wiring.cross(this, run, part)

        return call


class _Found:
    """A cursor that crosses when it is read."""

    def __init__(
        self, real: Collection[Any], wiring: Wiring, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self._real = real
        self._wiring = wiring
        self._asked = (arguments, options)
        self._sort: tuple[Any, ...] = ()
        self._limit = 0

    def sort(self, *keys: Any) -> "_Found":
        self._sort = keys
        return self

    def limit(self, number: int) -> "_Found":
        self._limit = number
        return self

    def __iter__(self) -> Iterator[Any]:
        call = Call(self._real, "find", 1)
        return iter(self._wiring.cross(call, lambda: self._read(call), None))

    def _read(self, call: Call) -> Any:
        def ask(arguments: Any, options: Any, sort: Any, limit: int) -> list[Any]:
            cursor = self._real.find(*arguments, **options).limit(limit)
            return (cursor.sort(*sort) if sort else cursor).to_list()

        return self._wiring.run(call, *self._asked, self._sort, self._limit, ask=ask)


def at(now: datetime.datetime, value: Any) -> Any:
    """Put a moment where a command asks the server for the time: `$$NOW` and `$currentDate`."""
    if isinstance(value, str):
        return now if value == "$$NOW" else value
    if isinstance(value, dict):
        told = {key: at(now, entry) for key, entry in value.items() if key != "$currentDate"}
        if dates := value.get("$currentDate"):
            told["$set"] = {**told.get("$set", {}), **dict.fromkeys(dates, now)}
        return told
    if isinstance(value, pymongo.UpdateOne):
        return pymongo.UpdateOne(at(now, value._filter), at(now, value._doc), upsert=bool(value._upsert))
    if isinstance(value, list | tuple):
        return type(value)(at(now, entry) for entry in value)
    return value
