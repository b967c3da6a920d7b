"""How the data API logs in to a cluster of your own: SCRAM-SHA-256, with what a secret holds.

The secret's text is JSON: `username`, `password`, and where they are needed `auth_source` (else admin) and
`ca_certificates` (PEM, for a cluster whose certificate no public authority signed). With Atlas, or without a
login, there is no secret, and the connection's URI says everything.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

VARIABLE = "MONGODB_SECRET_ARN"
"""Environment variable that names the secret."""


class SecretMalformed(RuntimeError):  # noqa: N818 - errors here are named for what happened
    """The secret's text is not what this module asks for; its message never repeats it."""


def options() -> dict[str, Any]:
    """Read the secret, where there is one, and return what it says as options of MongoClient.

    Raises:
        Problem: it cannot be read.
        SecretMalformed: it lacks the user name or the password, or is no JSON object.
    """
    arn = os.environ.get(VARIABLE)
    if not arn:
        return {}
    from payment_data.stored_secret import StoredSecret  # noqa: PLC0415 - most environments have no secret

    return _options(StoredSecret(arn)())


def _options(text: str) -> dict[str, Any]:
    try:
        secret = json.loads(text)
        login = {key: str(secret[key]) for key in ("username", "password")}
    except (ValueError, KeyError, TypeError):
        raise SecretMalformed("the secret is not JSON with username and password") from None
    found: dict[str, Any] = login | {
        "authMechanism": "SCRAM-SHA-256",
        "authSource": secret.get("auth_source", "admin"),
    }
    if certificates := secret.get("ca_certificates"):
        found["tlsCAFile"] = _file(certificates)
    return found


def _file(certificates: str) -> str:
    """Write the certificates where pymongo can read them: Lambda's /tmp, or this machine's."""
    path = Path(tempfile.gettempdir()) / f"mongodb-ca-{os.getpid()}.pem"
    path.write_text(certificates, encoding="ascii")
    return str(path)
