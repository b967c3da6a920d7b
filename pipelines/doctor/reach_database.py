"""The one-off function's code: asks MongoDB whether it is there, from inside the network.

It ships alone, beside pymongo. It says hello without logging in, which MongoDB answers, and so it needs no
database user; whether the data API's role may log in is not what it proves.
"""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

_LONGEST = 300


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Say hello to {uri} for at most {milliseconds}; return {reached, says, wire_version}."""
    within = event["milliseconds"]
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            event["uri"], serverSelectionTimeoutMS=within, connectTimeoutMS=within
        )
        with client:
            answer = client.admin.command("hello")
    except PyMongoError as error:
        return {"reached": False, "says": f"{type(error).__name__}: {error}"[:_LONGEST], "wire_version": 0}
    return {"reached": True, "says": "", "wire_version": answer["maxWireVersion"]}
