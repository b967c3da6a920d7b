"""The time-outs of a step, each inside the next, and the budget that one invocation spends.

Database 2 s < data API 3 s < HTTP 4 s < function 8 s < task 10 s: whoever waits longer learns the answer. The
first two are the data API's, the last is the workflow's; a test holds all of them to this order.
"""

from collections.abc import Callable

from payment_data.errors import OutcomeUnknown

CONNECT_SECONDS = 1.0
"""To open a connection, of any call."""
DATA_API_SECONDS = 4.0
"""One call of the data API, connecting included."""
STRIPE_SECONDS = 3.0
"""One call of Stripe, connecting included."""
SECRET_SECONDS = 2.0
"""One call of Secrets Manager, connecting included."""
FUNCTION_SECONDS = 8
"""What Lambda gives a step."""
_RETURN_SECONDS = 0.5
"""Kept back to log and return."""


class Budget:
    """The time left of one invocation, counted from the moment this is made.

    No call is begun that might outlive the function, so every answer is received.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + FUNCTION_SECONDS - _RETURN_SECONDS

    def check(self, seconds: float) -> None:
        """Check that a call of up to `seconds` still fits.

        Raises:
            OutcomeUnknown: it does not fit. What was done so far is found when the step is retried.
        """
        if self._clock() + seconds > self._end:
            raise OutcomeUnknown("out of time between two calls; ask again")
