"""An embedded AWS whose alarms count short minutes, with a quota that a loop can use up on this machine."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from embedded_aws import instance
from environments import schema
from pipelines.aws import embedded_stripe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments.schema import Environment

ALARM_MINUTE_SECONDS: Final = 6.0
"""How long an alarm's minute takes; a drill whose orders fail slowly needs longer ones."""
_TRANSITIONS_PER_SECOND: Final = 150


@contextmanager
def running(minute_seconds: float, wait_scale: float | None = None) -> Iterator[instance.Instance]:
    """Run one until the block ends.

    Args:
        minute_seconds: How long an alarm's minute takes.
        wait_scale: What workflows' waits, and canaries, are scaled by; as everywhere by default.
    """
    root = Path(tempfile.mkdtemp(prefix="drill-aws-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALARM_PERIOD_SCALE", str(minute_seconds / 60))
        patch.setenv("METRIC_MINUTES_LATE", "2")
        patch.setenv("SFN_TRANSITIONS_PER_SECOND", str(_TRANSITIONS_PER_SECOND))
        if wait_scale is not None:
            patch.setenv("SFN_WAIT_SCALE", str(wait_scale))
        started = instance.start(root, attached=True)
    try:
        yield started
    finally:
        instance.stop(root)
        shutil.rmtree(root, ignore_errors=True)


def paid_by_card(folder: Path) -> Environment:
    """Write an environment whose orders are paid through Stripe, as in somebody's checkout, and return it.

    Args:
        folder: Where `environments` is written to; with it on PYTHONPATH commands read that one.
    """
    files = shutil.copytree(schema.FOLDER, folder / "environments")
    text = (files / "branch.yml").read_text(encoding="utf-8")
    itself = schema.load("branch")
    arn = (
        f"arn:aws:secretsmanager:{itself.region}:{itself.account}:secret:{embedded_stripe.SECRET_NAME}-AbCdEf"
    )
    changes = {
        f"payment_method: {itself.payment_method}": f"payment_method: card\nstripe:\n  secret_arn: {arn}",
        f"network_stack: {itself.network_stack}": "network_stack: payments-network-out",
        "network:\n": "network:\n  public_subnet_cidr: 10.41.240.0/28\n",
        "  release_only: true": "  release_only: false",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (files / "branch.yml").write_text(text, encoding="utf-8")
    return schema.load("branch", files)
