"""A rehearsal with a cluster of your own: a user, a secret and a file for each environment."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from environments import schema
from environments.groupings import PROMOTED
from pipelines.aws.accounts import Aws
from pipelines.deploy import embedded_overrides
from pipelines.rehearsal import variants

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.instance import Instance


@dataclass
class Cluster:
    """A MongoDB that asks for a password, and notes whom it knows."""

    bare_uri: str = "mongodb://127.0.0.1:1/?replicaSet=own"
    ca: str = "a certificate"
    users: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def set_user(self, name: str, password: str, database: str | None) -> None:
        self.users[name] = (password, database)


def test_every_environment_logs_in_to_a_cluster_of_its_own_and_its_file_is_still_valid(
    embedded: Instance, tmp_path: Path
) -> None:
    # Given the environments' accounts on an embedded AWS, and a cluster
    cluster = Cluster()
    account = f"{uuid.uuid4().int % 10**12:012}"
    targets = {
        name: Aws(schema.load(name).model_copy(update={"account": account}), embedded.endpoint, "mongodb://x")
        for name in PROMOTED
    }
    # When they log in to it, twice as after a rehearsal that was repeated
    variants.log_in(cluster, targets)  # type: ignore[arg-type]  # what of it is used
    logged_in = variants.log_in(cluster, targets)  # type: ignore[arg-type]
    # Then each has a user of its own database, but branches, of which each stack has one
    assert {name: database for name, (_, database) in cluster.users.items()} == {
        "branch": None,
        "staging": "payments-staging",
        "prod": "payments-prod",
    }
    # And its secret says so
    for name, target in logged_in.items():
        manager = target.client("secretsmanager")
        stored = manager.get_secret_value(SecretId=target.environment.database.secret_arn)
        assert json.loads(stored["SecretString"]) == {
            "username": name,
            "password": cluster.users[name][0],
            "ca_certificates": "a certificate",
        }
    # And files of a checkout that say it break no rule, and say what is deployed
    folder = tmp_path / "environments"
    shutil.copytree(schema.FOLDER, folder, ignore=shutil.ignore_patterns("embedded", "samples"))
    texts = variants.files_in_one_account(tmp_path, account)
    for path, text in variants.files_with_database(texts, logged_in).items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    for name, target in logged_in.items():
        database = schema.load(name, folder).database
        assert database == target.environment.database
        assert (database.kind, database.authentication, database.tls) == (
            "own_cluster",
            "SCRAM-SHA-256",
            True,
        )
        # And what is deployed from this process is the same, whatever the environment's file would say
        assert embedded_overrides.with_database(target).database == database


def test_a_file_that_states_its_database_otherwise_is_refused() -> None:
    targets = {"prod": Aws(schema.load("prod"))}
    with pytest.raises(ValueError, match=r"prod\.yml states no database as one block"):
        variants.files_with_database({"environments/prod.yml": "database: {kind: atlas}\n"}, targets)
