"""Step Functions' quota of state transitions: one bucket for all executions of an account.

There is no quota unless `SFN_TRANSITIONS_PER_SECOND` sets one; on AWS it is 800 or 5,000, by region.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import os
import threading
import time

from ministack.services import stepfunctions

from embedded_aws.plugins import service_metrics

_changing = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}  # account to tokens, and when they were counted


def admit(state_machine_arn: str) -> None:
    """Wait until the account may make one more transition; that it had to wait is a metric of the machine."""
    rate = float(os.environ.get("SFN_TRANSITIONS_PER_SECOND", "0"))
    if not rate:
        return
    seconds = _take(stepfunctions.get_account_id(), rate)
    if seconds:
        service_metrics.count_throttled(state_machine_arn)
        time.sleep(seconds)


def _take(account: str, rate: float) -> float:
    """Take a token, and return for how many seconds it is not there yet."""
    with _changing:
        now = time.monotonic()
        tokens, counted = _buckets.get(account, (rate, now))
        left = min(rate, tokens + (now - counted) * rate) - 1
        _buckets[account] = (left, now)
        return max(0.0, -left / rate)
