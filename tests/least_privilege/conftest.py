"""One promotion, for everything that is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from embedded_aws.iam import call_log
from tests.least_privilege import promoting
from tests.rehearsal.conftest import built

if TYPE_CHECKING:
    from embedded_aws.iam.call_log import Call
    from embedded_aws.instance import Instance
    from tests.least_privilege.audit.grants import Grant
    from tests.least_privilege.promoting import Promotions


__all__ = ["built"]


@pytest.fixture(scope="session")
def promoted(embedded: Instance) -> Promotions:
    return promoting.promote_and_remove(embedded)


@pytest.fixture(scope="session")
def granted(promoted: Promotions) -> list[Grant]:
    """What every role of every stack may do."""
    return promoted.grants


@pytest.fixture(scope="session")
def done(promoted: Promotions, embedded: Instance) -> list[Call]:
    """What they did."""
    return call_log.read(embedded.root)
