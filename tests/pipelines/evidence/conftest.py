"""A release's evidence, to be seeded with what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.sample_evidence import FINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.evidence.evidence import Evidence


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Evidence of a release that is fine, but for what is given."""

    def but(**changes: Any) -> Evidence:
        return replace(FINE, **changes)

    return but
