from __future__ import annotations

from typing import Any

import pytest

from environments.schema import Environment, load, names
from payment_data.payment_methods.names import STRIPE
from pipelines.deploy.synth import build
from tests.templates.paying import paying_by


def environment_of(name: str) -> Environment:
    """The environment of this name, or one that is paid by this method."""
    return paying_by(name) if name in STRIPE else load(name)


def plain(environment: Environment) -> dict[str, dict[str, Any]]:
    return {stack: template.to_dict() for stack, template in build(environment).items()}


@pytest.fixture(scope="session", params=[*names(), *STRIPE])
def environment(request: pytest.FixtureRequest) -> Environment:
    """Every environment in turn, and one for each payment method that needs Stripe."""
    return environment_of(request.param)


@pytest.fixture(scope="session")
def stacks(environment: Environment) -> dict[str, dict[str, Any]]:
    """The environment's templates by stack, as plain JSON: for reading only."""
    return plain(environment)


@pytest.fixture(scope="session")
def network(stacks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return stacks["network"]


@pytest.fixture(scope="session")
def payments(stacks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return stacks["payments"]


@pytest.fixture(
    scope="session", params=[*(name for name in names() if not load(name).alarms.release_only), *STRIPE]
)
def watched(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The payments stack of every environment that is watched all day: all but a branch's."""
    return plain(environment_of(request.param))["payments"]
