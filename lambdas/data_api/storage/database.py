"""The database that storage works on: its collections are made once, and note each write that is sent.

A note tells "not applied" from "unknown" when the connection fails. It is taken here, around the driver's
methods, since an event listener of the driver's costs each command a tenth of its processor time.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

from data_api.domain.requests import Document

AUTHENTICATION_FAILED: Final = 18
"""MongoDB's error code; it comes before any command of ours was sent on that connection."""
WRITES: Final = (
    "bulk_write",
    "delete_many",
    "delete_one",
    "find_one_and_delete",
    "find_one_and_replace",
    "find_one_and_update",
    "insert_many",
    "insert_one",
    "replace_one",
    "update_many",
    "update_one",
)
"""The driver's methods of a collection that write."""
_written: ContextVar[bool] = ContextVar("written", default=False)


Db = Database[Document]
"""The type of the database that storage works on."""


class NotingDatabase(Db):
    """A database of which each collection is made once; making one costs as much as encoding a command."""

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, name)
        self._made: dict[str, Collection[Document]] = {}

    def __getitem__(self, name: str) -> Collection[Document]:
        """Return the collection of this name."""
        if (collection := self._made.get(name)) is None:
            collection = self._made[name] = _Noting(self, name)
        return collection


class _Noting(Collection[Document]):
    """A collection that notes what is written to it."""


def confirmed(collection: Collection[Document]) -> Collection[Document]:
    """Return the collection for a read on which alone something rests: an undo, a refusal, an answer.

    A new primary has all that a majority acknowledged, and for a moment does not know of all of it that a
    majority has it: reads of the connection's level, majority, then return what was before. A write finds
    that out by its condition; a read that no such write follows waits until a majority confirms it.
    https://www.mongodb.com/docs/manual/reference/read-concern-linearizable/
    """
    return collection.with_options(read_concern=ReadConcern("linearizable"))


def begin_request() -> None:
    """Forget what the last request wrote."""
    _written.set(False)


def note_write() -> None:
    """Note that a write is sent."""
    _written.set(True)


def may_have_written() -> bool:
    """Say whether this request has handed any write to a connection, answered or not."""
    return _written.get()


def _noting(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def write(*arguments: Any, **options: Any) -> Any:
        before = _written.get()
        _written.set(True)
        try:
            return method(*arguments, **options)
        except PyMongoError as error:
            if _never_sent(error):
                _written.set(before)
            raise

    return write


def _never_sent(error: PyMongoError) -> bool:
    """Say whether there was no server to send the write to, or none that let us in."""
    refused = isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED
    return refused or isinstance(error, ServerSelectionTimeoutError)


for _name in WRITES:
    setattr(_Noting, _name, _noting(getattr(Collection, _name)))
