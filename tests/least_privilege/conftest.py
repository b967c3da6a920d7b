"""One promotion, for everything that is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from environments.embedded import calls
from tests.least_privilege import promoting

if TYPE_CHECKING:
    from environments.embedded.calls import Call
    from environments.embedded.instance import Instance
    from pipelines.least_privilege.grants import Grant
    from tests.least_privilege.promoting import Promoted


@pytest.fixture(scope="session")
def promoted(embedded: Instance) -> Promoted:
    return promoting.everything(embedded)


@pytest.fixture(scope="session")
def granted(promoted: Promoted) -> list[Grant]:
    """What every role of every stack may do."""
    return promoted.grants


@pytest.fixture(scope="session")
def done(promoted: Promoted, embedded: Instance) -> list[Call]:
    """What they did."""
    return calls.read(embedded.root)
