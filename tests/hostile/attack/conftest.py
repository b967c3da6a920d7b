"""An embedded AWS that nothing was deployed to, for each file that promotes a release."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded_aws import instance

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def fresh() -> Iterator[instance.Instance]:
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    yield instance.start(root, attached=True)
    instance.stop(root)
