"""How long Step Functions waits before a retry.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random
from typing import Any


def delay(retrier: dict[str, Any], count: int) -> float:
    """Return the seconds before retry number `count` (from 0) of a Retry entry, jitter included."""
    seconds = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** count
    seconds = min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
    return random.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds  # noqa: S311 - jitter
