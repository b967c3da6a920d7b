"""The connection to MongoDB: one client per Lambda sandbox, made when first needed, and its login.

A cluster of your own is logged in to with SCRAM-SHA-256 and what a secret holds. The secret's text is JSON:
`username`, `password`, and where they are needed `auth_source` (else admin) and `ca_certificates` (PEM, for a
cluster whose certificate no public authority signed). With Atlas, or without a login, there is no secret, and
the connection's URI says everything.
"""

import functools
import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure, PyMongoError

from data_api.domain.requests import Document
from data_api.storage import collections
from data_api.storage.database import AUTHENTICATION_FAILED, Db, NotingDatabase, may_have_written

LOGIN_VARIABLE = "MONGODB_SECRET_ARN"
"""Environment variable that names the secret."""


class SecretMalformed(RuntimeError):  # noqa: N818 - errors here are named for what happened
    """The secret's text is not what this module asks for; its message never repeats it."""


def login_options() -> dict[str, Any]:
    """Read the secret, where there is one, and return what it says as options of MongoClient.

    Raises:
        Problem: it cannot be read.
        SecretMalformed: it lacks the user name or the password, or is no JSON object.
    """
    arn = os.environ.get(LOGIN_VARIABLE)
    if not arn:
        return {}
    from payment_data.stored_secret import StoredSecret  # noqa: PLC0415 - most environments have no secret

    return _login_options(StoredSecret(arn)())


def _login_options(text: str) -> dict[str, Any]:
    try:
        secret = json.loads(text)
        login = {key: str(secret[key]) for key in ("username", "password")}
    except (ValueError, KeyError, TypeError):
        raise SecretMalformed("the secret is not JSON with username and password") from None
    options: dict[str, Any] = login | {
        "authMechanism": "SCRAM-SHA-256",
        "authSource": secret.get("auth_source", "admin"),
    }
    if certificates := secret.get("ca_certificates"):
        options["tlsCAFile"] = _file(certificates)
    return options


def _file(certificates: str) -> str:
    """Write the certificates where pymongo can read them: Lambda's /tmp, or this machine's."""
    path = Path(tempfile.gettempdir()) / f"mongodb-ca-{os.getpid()}.pem"
    path.write_text(certificates, encoding="ascii")
    return str(path)


class ServerTooOld(RuntimeError):  # noqa: N818 - errors here are named for what happened
    """The server is older than any on which this was ever run."""


OLDEST_WIRE_VERSION = 17
"""MongoDB 6.0 (mongodb/specifications, "Server Wire version and Features")."""
REQUEST_SECONDS = 2.0
"""All of a request's commands together; the innermost of the nested time-outs."""


@functools.cache
def database() -> Db:
    """Return the database that MONGODB_URI and MONGODB_DATABASE name, its validators and indexes in place.

    Raises:
        PyMongoError: it cannot be reached; the next call tries again.
        ServerTooOld: it is older than MongoDB 6.0.
    """
    client = _client(os.environ["MONGODB_URI"])
    db = NotingDatabase(client, os.environ["MONGODB_DATABASE"])
    collections.ensure(db)
    # What servers said of themselves when the driver said hello; one that is down said nothing.
    versions = [
        server.max_wire_version for server in client.topology_description.server_descriptions().values()
    ]
    if any(0 < version < OLDEST_WIRE_VERSION for version in versions):
        raise ServerTooOld("a server of the cluster is older than MongoDB 6.0")
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
        **login_options(),
    )


_client = functools.cache(connect)


def renew(error: PyMongoError) -> bool:
    """After a login that failed, forget the connection; say whether to try again, with the secret read anew.

    A secret was rotated: connections that are open stay logged in, and new ones are refused.
    """
    refused = isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED
    if not refused or LOGIN_VARIABLE not in os.environ or may_have_written():
        return False
    # Closing ends sessions, for which it would log in with the old password, until the time is over.
    threading.Thread(target=_client(os.environ["MONGODB_URI"]).close, daemon=True).start()
    _client.cache_clear()
    database.cache_clear()
    return True
