"""A single mongod becoming the primary of its own replica set."""

import subprocess
import time
from typing import Any

import pymongo
import pymongo.errors

from embedded_aws import ports

NAME = "embedded"
_POLL_SECONDS = 0.02


def wait_until_primary(process: subprocess.Popen[bytes], port: int, seconds: float) -> bool:
    """Initiate the set and wait until the server takes writes; False when it ended or did not in time."""
    deadline = time.monotonic() + seconds
    with pymongo.MongoClient[dict[str, Any]](
        ports.LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=100
    ) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if _is_primary(client, f"{ports.LOOPBACK}:{port}"):
                    return True
            except pymongo.errors.PyMongoError:
                pass  # not listening yet, or between two states
            time.sleep(_POLL_SECONDS)
    return False


def _is_primary(client: pymongo.MongoClient[dict[str, Any]], member: str) -> bool:
    hello = client.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return bool(hello["me"] == member)
    config = {"_id": NAME, "members": [{"_id": 0, "host": member}]}
    if hello.get("isreplicaset"):
        try:
            client.admin.command("replSetInitiate", config)
        except pymongo.errors.OperationFailure:
            # The data was written under another port, so the node does not find itself in its own set.
            config["version"] = client.admin.command("replSetGetConfig")["config"]["version"] + 1
            client.admin.command("replSetReconfig", config, force=True)
    return False
