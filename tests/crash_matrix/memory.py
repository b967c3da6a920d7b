"""MongoDB behind a memory: the same command on the same documents is executed once.

What a command does follows from the command, the clock that it is told (`driver.at`) and the documents of its
one collection. So the first time mongod executes it, and its answer and what it leaves are kept: thousands of
cells differ in one place and are alike before it and after it. `test_memory.py` runs cells both ways.
"""

import copy
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

Contents = Mapping[str, bytes]
"""Collection to its documents, BSON, in their natural order."""
_MOST = 100_000  # answers kept: some hundred megabytes
_SERVER_SECONDS = 45.0
"""Until another server is primary, at most."""
_AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
_T = TypeVar("_T")
_RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


class _Answer(NamedTuple):
    """What came of a command: the collection's documents after it, and what its caller got."""

    after: bytes
    documents: bytes = b""
    result: Any = None
    error: OperationFailure | None = None

    def give(self) -> Any:
        """Give it to a caller, who may change it."""
        if self.error is not None:
            raise copy.copy(self.error)
        return bson.decode(self.documents, _AWARE)["v"] if self.documents else self.result


class Memory:
    """The contents of a database as commands see them, and what mongod said to each so far.

    Args:
        database: the real one; nobody else may write to it.
        forgetful: ask mongod every time.
    """

    def __init__(self, database: Database[dict[str, Any]], *, forgetful: bool = False) -> None:
        self._database = database
        self._forgetful = forgetful
        self._contents: dict[str, bytes] = defaultdict(bytes)
        self._there: dict[str, bytes] = {}
        self._answers: dict[tuple[str, bytes, bytes], _Answer] = {}
        self._known: dict[bytes, bytes] = {}
        self.asked = 0
        self.remembered = 0

    def ask(self, name: str, command: str, run: Callable[[], Any], *, writes: bool) -> Any:
        """Answer a command.

        Args:
            name: its collection.
            command: all of it, as text.
            run: has mongod execute it.
            writes: it may change documents.
        """
        key = name, self._contents[name], hashlib.blake2b(command.encode(), digest_size=16).digest()
        answer = self._answers.get(key)
        if answer is None:
            self.asked += 1
            before = in_the_end(lambda: self._bring(name))
            try:
                answer = self._ask(name, run, None if writes else before)
            except ConnectionFailure:  # of a server that is really lost: it may have been done all the same
                self._contents[name] = self._read(name)
                raise
            self._keep(key, answer)
        else:
            self.remembered += 1
        self._contents[name] = answer.after
        return answer.give()

    def contents(self) -> dict[str, bytes]:
        """Return what there is, to be put back later."""
        return dict(self._contents)

    def documents(self, name: str) -> list[dict[str, Any]]:
        """Read a collection."""
        return bson.decode_all(self._contents[name], _AWARE)

    def put_back(self, contents: Contents) -> None:
        """Make every collection hold what it held then, and nothing that was not."""
        self._contents.clear()
        self._contents.update(contents)

    def forget(self) -> None:
        """Ask anew from now on: something else than documents decides differently now."""
        self._answers.clear()
        self._there.clear()

    def _ask(self, name: str, run: Callable[[], Any], after: bytes | None) -> _Answer:
        """Have mongod execute a command; without `after` it may leave other documents."""
        try:
            result, error = run(), None
        except OperationFailure as refused:
            result, error = None, refused
        if after is None:
            after = self._read(name)
        if result is None or isinstance(result, dict | list | int):
            return _Answer(after, bson.encode({"v": result}), error=error)
        return _Answer(after, result=result, error=error)

    def _bring(self, name: str) -> bytes:
        """Have the real collection hold what it should."""
        wanted = self._contents[name]
        if self._there.get(name) != wanted:
            collection = self._database[name]
            self._there.pop(name, None)  # of what is interrupted nobody knows how much is there
            collection.delete_many({})
            if wanted:
                collection.insert_many(bson.decode_all(wanted, _RAW), bypass_document_validation=True)
            self._there[name] = wanted
        return wanted

    def _read(self, name: str) -> bytes:
        """Read a collection, of several servers with all that a lost primary did, which costs a write."""
        level = "linearizable" if len(self._database.client.nodes) > 1 else "majority"
        collection = self._database[name].with_options(read_concern=ReadConcern(level))

        def batches() -> bytes:
            found: Any = collection.find_raw_batches({})  # of bytes, which its type does not say
            return b"".join(found)

        found = in_the_end(batches)
        self._there[name] = found = self._known.setdefault(found, found)
        return found

    def _keep(self, key: tuple[str, bytes, bytes], answer: _Answer) -> None:
        if self._forgetful:
            return
        if len(self._answers) >= _MOST:
            self._answers.clear()
            self._known.clear()
        self._answers[key] = answer


def in_the_end(run: Callable[[], _T]) -> _T:
    """Do what a cell's own requests know nothing of, however often a server is really lost meanwhile.

    Half of a restored collection, or one that could not be read, would bring documents of another cell; and a
    schedule, such as settlement's, runs again.
    """
    until = time.monotonic() + _SERVER_SECONDS
    while True:
        try:
            return run()
        except PyMongoError:
            if time.monotonic() > until:
                raise
