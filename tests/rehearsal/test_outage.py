"""MongoDB, which asks for a password, stopped in mid-run: orders wait for it, and nobody tells of it."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pymongo
import pymongo.errors
import pytest

from embedded_aws import mongod
from pipelines.aws import executions
from pipelines.orders import orders
from tests.rehearsal import logged_data
from tests.rehearsal.shop import Shop, physical
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws
    from pipelines.orders.payment_stack import PaymentStack

_USER: Final = "payments"
_RIGHT: Final = "canary-9c41e7"
_WRONG: Final = "canary-5b02d8"


@dataclass
class Guarded:
    """A stack whose MongoDB lets in those alone who know the password."""

    stack: PaymentStack
    server: mongod.Mongod
    function: str

    def use(self, password: str) -> None:
        """Have the data API use a password, which no environment's file may hold: somebody put it in."""
        functions = self.stack.aws.functions
        known = functions.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        uri = with_password(self.server.uri, password)
        functions.update_function_configuration(
            FunctionName=self.function, Environment={"Variables": {**known, "MONGODB_URI": uri}}
        )
        version = functions.publish_version(FunctionName=self.function)["Version"]
        functions.update_alias(FunctionName=self.function, Name="live", FunctionVersion=version)

    def restart(self) -> None:
        assert self.server.data_dir
        self.server = mongod.start(self.server.data_dir, port=self.server.port)


def with_password(uri: str, password: str) -> str:
    return f"{uri.replace('://', f'://{_USER}:{password}@')}&authSource=admin"


@pytest.fixture(scope="module")
def guarded(
    here: Aws, deploy: Callable[[str, Aws], PaymentStack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    with _asking_for_passwords(folder):
        server = mongod.start(folder / "data")
        stack = deploy("payments-outage", replace(here, mongodb_uri=server.uri))
        there = Guarded(stack, server, physical(stack, "DataApiFunction"))
        try:
            _make_user(server)
            there.use(_RIGHT)
            yield there
        finally:
            there.server.kill()


@contextmanager
def _asking_for_passwords(folder: Path) -> Iterator[None]:
    """Members of a replica set know each other by a file, once users need passwords."""
    key, wrapper = folder / "key", folder / "mongod"
    key.write_text("bWVtYmVy")
    key.chmod(0o600)
    asking = shlex.join([str(mongod.binary()), f"--keyFile={key}"])
    wrapper.write_text(f'#!/bin/sh\nexec {asking} "$@"\n')
    wrapper.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MONGOD", str(wrapper))
        yield


def _make_user(server: mongod.Mongod) -> None:
    """The first user, whom MongoDB lets anybody on its machine make."""
    with pymongo.MongoClient[dict[str, Any]](server.uri) as client:
        client.admin.command("createUser", _USER, pwd=_RIGHT, roles=["root"])


def test_an_order_finishes_when_mongodb_is_back(guarded: Guarded) -> None:
    # Given a stack with a MongoDB of its own, and an order in it
    shop = Shop(guarded.stack)
    tea, ada = shop.product(price=5095, available=5), shop.user(balance=20000)
    order = shop.order(ada, (tea, 5095, 2))
    # When MongoDB is killed, the order is placed, and MongoDB comes back after an attempt has failed
    guarded.server.kill()
    placed = orders.place(shop.stack, order)
    _wait_for_a_failed_attempt(shop.stack.aws, placed.arn)
    guarded.restart()
    end = shop.place(order)
    # Then the order was retried until it was done, once
    assert end.status == "SUCCEEDED"
    assert (shop.available(tea), shop.balance(ada)) == (3, 20000 - 2 * 5095)
    assert len(shop.stack.api.deliveries(order)["deliveries"]) == 1


def test_the_databases_password_is_told_nowhere(guarded: Guarded, embedded: Instance) -> None:
    # Given a database that refuses who does not know the password, and orders
    with (
        pymongo.MongoClient[dict[str, Any]](guarded.server.uri) as client,
        pytest.raises(pymongo.errors.OperationFailure, match="requires authentication"),
    ):
        client.admin.command("listDatabases")
    shop = Shop(guarded.stack)
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    placed = [shop.order(ada, (tea, 100, 1)) for _ in range(2)]
    with logged_data.events(shop.stack.aws) as events:
        # When one is placed with the right password, and one while it is wrong, after MongoDB was lost above
        assert shop.place(placed[0]).status == "SUCCEEDED"
        guarded.use(_WRONG)
        refused = orders.place(shop.stack, placed[1])
        _wait_for_a_failed_attempt(shop.stack.aws, refused.arn)
        guarded.use(_RIGHT)
        assert shop.place(placed[1]).status == "SUCCEEDED"
        said = logged_data.everything(shop.stack.aws, embedded.root)
    # Then it stands where it was put, and is told nowhere else
    assert _RIGHT in said.pop("functions")
    assert guarded.server.data_dir
    said["its log"] = (guarded.server.data_dir / "mongod.log").read_text(encoding="utf-8")
    said["events"] = "\n".join(events)
    assert "Authentication failed" in said["its log"]
    for where in ("logs", "executions", "events"):
        assert all(order in said[where] for order in placed), where
    assert [where for where, text in said.items() if _RIGHT in text or _WRONG in text] == []


def _wait_for_a_failed_attempt(aws: Aws, execution: str) -> None:
    wait_until(
        lambda: any(moment.what == "attempt failed" for moment in executions.moments(aws, execution)),
        "a failed attempt",
    )
