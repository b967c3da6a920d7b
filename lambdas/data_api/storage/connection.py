"""The connection to MongoDB: one client per Lambda sandbox, made when first needed."""

import functools
import os
import threading

from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure, PyMongoError

from data_api.domain.requests import Document
from data_api.storage import collections, login
from data_api.storage.database import AUTHENTICATION_FAILED, Db, NotingDatabase, may_have_written

REQUEST_SECONDS = 2.0
"""All of a request's commands together; the innermost of the nested time-outs."""


@functools.cache
def database() -> Db:
    """Return the database that MONGODB_URI and MONGODB_DATABASE name, its validators and indexes in place.

    Raises:
        PyMongoError: it cannot be reached; the next call tries again.
    """
    db = NotingDatabase(_client(os.environ["MONGODB_URI"]), os.environ["MONGODB_DATABASE"])
    collections.ensure(db)
    return db


def connect(uri: str, *listeners: monitoring.CommandListener) -> MongoClient[Document]:
    """Return a client set up for money; `listeners` hear its commands.

    Where the environment names a secret, it is read here and says how to log in. Reads see only what a
    majority has, as writes wait for it: what was answered once survives a failover. The driver repeats no
    write: for that MongoDB would keep a record of each, beside the one that ours leave in the document, so
    the whole request is repeated instead (`http.app`).
    """
    return MongoClient(
        uri,
        appname="payment-data-api",
        timeoutMS=int(REQUEST_SECONDS * 1000),
        w="majority",
        readConcernLevel="majority",
        retryWrites=False,
        retryReads=True,
        tz_aware=True,
        event_listeners=list(listeners),
        **login.options(),
    )


_client = functools.cache(connect)


def renew(error: PyMongoError) -> bool:
    """After a login that failed, forget the connection; say whether to try again, with the secret read anew.

    A secret was rotated: connections that are open stay logged in, and new ones are refused.
    """
    refused = isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED
    if not refused or login.VARIABLE not in os.environ or may_have_written():
        return False
    # Closing ends sessions, for which it would log in with the old password, until the time is over.
    threading.Thread(target=_client(os.environ["MONGODB_URI"]).close, daemon=True).start()
    _client.cache_clear()
    database.cache_clear()
    return True
