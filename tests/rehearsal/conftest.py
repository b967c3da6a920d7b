"""A deployed payments stack on the embedded AWS, and a shop to sell things in."""

from __future__ import annotations

import fcntl
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
import stripe
from click.testing import CliRunner, Result

from environments import schema
from environments.parts import Alarms
from payment_data.payment_methods.stripe_http import PooledHttp
from pipelines.aws import embedded_stripe
from pipelines.aws.accounts import Aws
from pipelines.build import packaging
from pipelines.cli.main import main
from pipelines.core.repository import CACHE
from pipelines.deploy import deployment
from pipelines.orders import payment_stack
from tests.rehearsal.paying import paying_by
from tests.rehearsal.shop import Shop
from tests.rehearsal.till import KEY, Till

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance
    from pipelines.build.package_manifest import Manifest
    from pipelines.orders.payment_stack import PaymentStack

    Payments = Callable[..., Result]

_SHARED = "payments-test"
_of_module: list[PaymentStack] = []
"""What was deployed for the tests of a module alone."""


@dataclass(frozen=True, slots=True)
class Built:
    """Packages, and the folder they are in."""

    manifest: Manifest
    folder: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Every function's package, of the source as it is now; what is unchanged is built once for all."""
    kept = CACHE / "tests" / "packages"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = packaging.build(kept)
        folder = shutil.copytree(kept, tmp_path_factory.mktemp("packages") / "built")
    return Built(manifest, folder)


@pytest.fixture(scope="session")
def here(embedded: Instance) -> Aws:
    """The embedded AWS, as the account of the branches; stacks have every alarm, as those of production."""
    return Aws(
        schema.load("branch").model_copy(update={"alarms": Alarms()}),
        embedded.endpoint,
        embedded.mongodb_uri,
        card_gateway=embedded.card_gateway,
    )


@pytest.fixture(scope="session")
def deploy(here: Aws, built: Built) -> Callable[[str], PaymentStack]:
    """Deploy a stack with the pipeline's own code, and find it."""

    def deploy(name: str, aws: Aws = here) -> PaymentStack:
        deployment.deploy(aws, built.manifest, stack=name, packages=built.folder)
        stack = payment_stack.connect(aws, name)
        if name != _SHARED:
            _of_module.append(stack)
        return stack

    return deploy


@pytest.fixture(scope="session")
def deployed(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    """A stack that the whole run shares; each test sells things of its own in it."""
    return deploy(_SHARED)


@pytest.fixture(scope="module", autouse=True)
def _schedules_end_with_their_module() -> Iterator[None]:
    """End what stacks do by themselves each minute, once the tests that deployed them have ended."""
    yield
    while _of_module:
        stack = _of_module.pop()
        events = stack.aws.client("events")
        for rule in events.list_rules(NamePrefix=f"{stack.name}-")["Rules"]:
            if "ScheduleExpression" in rule:
                events.disable_rule(Name=rule["Name"])


@pytest.fixture
def shop(deployed: PaymentStack) -> Shop:
    """A shop with ids that no other test has."""
    return Shop(deployed)


@pytest.fixture
def settings(deployed: PaymentStack, embedded: Instance) -> dict[str, str]:
    """What a shell has that was told which stack is meant, as the pages say."""
    return {
        "AWS_ENDPOINT_URL": embedded.endpoint,
        "MONGODB_URI": embedded.mongodb_uri,
        "PAYMENTS_ENVIRONMENT": deployed.aws.environment.name,
        "PAYMENTS_STACK": deployed.name,
    }


@pytest.fixture
def payments(settings: dict[str, str]) -> Payments:
    """Run a command in such a shell."""
    return lambda *arguments, **more: CliRunner(env=settings | more).invoke(
        main, [str(one) for one in arguments]
    )


@pytest.fixture(scope="module")
def gateway(here: Aws) -> Iterator[stripe.StripeClient]:
    http = PooledHttp()
    assert here.card_gateway
    yield stripe.StripeClient(KEY, base_addresses={"api": here.card_gateway}, http_client=http)
    http.close()


@pytest.fixture(scope="module", params=["card", "bank_account"])
def till(
    request: pytest.FixtureRequest,
    here: Aws,
    deploy: Callable[[str, Aws], PaymentStack],
    gateway: stripe.StripeClient,
) -> Till:
    embedded_stripe.ensure_secret(here.client("secretsmanager"), KEY)
    there = replace(here, environment=paying_by(request.param, here.environment))
    return Till(Shop(deploy(f"payments-{request.param.split('_')[0]}", there)), request.param, gateway)
