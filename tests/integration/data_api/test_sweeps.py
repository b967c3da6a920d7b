"""Where a sweep stopped is kept for the next one."""

import pytest

from payment_data.client import DataApi
from payment_data.errors import InvalidRequest


def test_a_sweep_is_kept_until_the_next_one(api: DataApi) -> None:
    # Given that nothing was ever swept
    assert api.sweep() == {}
    # When sweeps stop, and one comes to the end
    for place in (
        {"state": "PAID", "after": "x~o1", "new_after": "y~o2"},
        {"state": "NEW", "after": ""},
        {},
    ):
        api.keep_sweep(place)
        # Then
        assert api.sweep() == place


def test_a_place_is_a_state_of_orders(api: DataApi) -> None:
    with pytest.raises(InvalidRequest, match="state"):
        api.keep_sweep({"state": "ANY"})
