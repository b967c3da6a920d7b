"""Variants of a rehearsal: all environments in one account, or a cluster of your own as their database.

A variant changes the environments that this process deploys, and the same in the files of the copy, which
the builds read.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from environments.groupings import PROMOTED
from pipelines.deploy import embedded_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from embedded_aws.protected_mongod import Protected
    from pipelines.aws.accounts import Aws

_SECRET: Final = "payments/mongodb"  # noqa: S105 - the name of a secret, not its value
_DATABASE: Final = re.compile(r"^database:\n(?: .*\n|\n(?= ))+", re.MULTILINE)


def files_in_one_account(checkout: Path, account: str) -> dict[str, str]:
    """Return the environments' files of a checkout as they are when all of them are in one account."""
    stated = re.compile(r"^( *(?:account|owner_account): )\"\d{12}\"$", re.MULTILINE)
    return {path: stated.sub(rf'\g<1>"{account}"', text) for path, text in files(checkout).items()}


def log_in(cluster: Protected, targets: Mapping[str, Aws]) -> dict[str, Aws]:
    """Let every environment have this cluster as its database, each with a user and a secret of its own.

    A branch's user may use every database, since each branch's stack has one of its own.

    Args:
        cluster: A MongoDB that asks for TLS and a password.
        targets: The environments' accounts on an embedded AWS.
    """
    logged_in = {}
    for name, target in targets.items():
        environment, password = target.environment, secrets.token_urlsafe(16)
        shared = "*" in environment.stack_pattern
        cluster.set_user(name, password, None if shared else environment.default_stack)
        login = {"username": name, "password": password, "ca_certificates": cluster.ca}
        arn = _store(target.client("secretsmanager"), f"{_SECRET}-{name}", json.dumps(login))
        reached = replace(target, mongodb_uri=cluster.bare_uri, mongodb_secret=arn)
        logged_in[name] = replace(reached, environment=embedded_overrides.with_database(reached))
    return logged_in


def files_with_database(texts: Mapping[str, str], targets: Mapping[str, Aws]) -> dict[str, str]:
    """Return environments' files with the databases that these environments have.

    Raises:
        ValueError: A file does not state its database in one block.
    """
    changed = dict(texts)
    for name, target in targets.items():
        path, database = _path(name), target.environment.database.model_dump(mode="json", exclude_none=True)
        before = _DATABASE.findall(texts[path])
        if len(before) != 1:
            raise ValueError(f"{path} states no database as one block")
        block = yaml.safe_dump({"database": database}, sort_keys=False)
        changed[path] = texts[path].replace(before[0], block)
    return changed


def files(checkout: Path) -> dict[str, str]:
    """Return the texts of the environments' files of a checkout, by their paths in it."""
    return {_path(name): (checkout / _path(name)).read_text(encoding="utf-8") for name in PROMOTED}


def _path(name: str) -> str:
    return f"environments/{name}.yml"


def _store(secretsmanager: Any, name: str, text: str) -> str:
    """Keep a secret's text, whether or not there is such a secret, and return its ARN."""
    try:
        arn = secretsmanager.create_secret(Name=name, SecretString=text)["ARN"]
    except secretsmanager.exceptions.ResourceExistsException:
        arn = secretsmanager.put_secret_value(SecretId=name, SecretString=text)["ARN"]
    return str(arn)
