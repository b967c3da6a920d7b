"""The function's time: no call is begun that might outlive it, so every answer is heard."""

from collections.abc import Callable

from payment_data.errors import OutcomeUnknown

RECORD_SECONDS = 4.0
"""What a call of the data API may take (`transport.TOTAL_SECONDS`)."""
GATEWAY_SECONDS = 3.0
"""What a call of Stripe may take (`stripe_http.TOTAL_SECONDS`)."""
FUNCTION_SECONDS = 7.5
"""Of the 8 s that Lambda gives a step."""


class Budget:
    """What is left of one invocation, from the moment this is made.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + FUNCTION_SECONDS

    def afford(self, seconds: float) -> None:
        """Check that a call of so many seconds still fits.

        Raises:
            OutcomeUnknown: it does not. What was done is found when asked again.
        """
        if self._clock() + seconds > self._end:
            raise OutcomeUnknown("out of time between two calls; ask again")
