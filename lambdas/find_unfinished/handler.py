"""Lambda handler of the sweeper's first state, *Find unfinished orders*, which releases ask as well."""

from datetime import UTC, datetime, timedelta
from typing import Any

from payment_data import metrics, unfinished
from payment_data.errors import OrderNotFound
from payment_data.step import data_api, logged

api = data_api()

STATES = ("CANCELLING", "PAID", "RESERVED", "NEW")
"""Neither ended nor parked, which waits for a person; those first that hold money."""
PARKED = "NEEDS_ATTENTION"
QUIET_SECONDS = 60
"""What has changed since is still on its way."""
OVERDUE = timedelta(hours=25)
"""Beyond every deadline, which the data API takes for at most 24 hours: no forward request can follow."""
_PAGE = 100
_COUNTING_SECONDS = 5
"""Of the function's eight; what is not counted by then is said to be left out."""


@logged
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Return a page of unfinished orders, longest unchanged first: {orders: [order], next?: {state, after}}.

    An order is {order_id, updated_at, overdue, undo}; it is overdue once it is unchanged for longer than any
    deadline, and undone though its execution succeeded where a person asked for that.

    Args:
        event: {order_id} for that order alone, if it is unfinished, or with {undo} also if it is parked; else
            {state, after}, what an earlier answer gave as `next`, and {quiet_seconds}, how long an order must
            be unchanged. Without a state it goes on where the last sweep stopped; where that was among new
            orders, it first looks at those that hold money, and {new_after} is where it goes on then.
            {stopped_at: {state?, after?, new_after?}, asked} keeps where a sweep stopped that was asked for
            all orders, and finds none.
            {methods: [name]} asks how many are paid by other methods: {unlisted: {method: count}, whole}.

    The metric OldestUnfinishedSeconds is for how long the order that a page begins with has not changed, of
    those that may hold money.
    """
    if "methods" in event:
        return unfinished.paid_by_others(api, event["methods"], seconds=_COUNTING_SECONDS)
    if "stopped_at" in event:
        return _keep(event["stopped_at"], event.get("asked") or {})
    if "order_id" in event:
        return {"orders": _order_if_unfinished(event["order_id"], undo=event.get("undo") is True)}
    place = event if "state" in event else _begin(api.sweep())
    state, after = place["state"], place.get("after", "")
    page = api.orders(state=state, after=after, limit=_PAGE)
    if state != STATES[-1]:
        oldest = max(map(_unchanged_for, page["orders"]), default=timedelta())
        metrics.level("OldestUnfinishedSeconds", oldest.total_seconds(), "Seconds")
    quiet = timedelta(seconds=event.get("quiet_seconds", QUIET_SECONDS))
    quiet_ones = [_summary(order) for order in page["orders"] if _unchanged_for(order) >= quiet]
    # They come longest unchanged first: after one that changed lately there are only others that did.
    whole = len(quiet_ones) == len(page["orders"])
    following = _following(place, page.get("next") if whole else None)
    return {"orders": quiet_ones} | ({"next": following} if following else {})


def _keep(place: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    if "order_id" not in asked:
        api.keep_sweep({key: place[key] for key in ("state", "after", "new_after") if key in place})
    return {"orders": []}


def _order_if_unfinished(order_id: str, *, undo: bool) -> list[dict[str, Any]]:
    try:
        order = api.order(order_id)
    except OrderNotFound:
        return []
    asked = (*STATES, PARKED) if undo else STATES
    return [_summary(order, undo=undo)] if order["state"] in asked else []


def _summary(order: dict[str, Any], *, undo: bool = False) -> dict[str, Any]:
    overdue = order["state"] != "NEW" and _unchanged_for(order) >= OVERDUE
    return {
        "order_id": order["order_id"],
        "updated_at": order["updated_at"],
        "overdue": overdue,
        "undo": undo,
    }


def _unchanged_for(order: dict[str, Any]) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(order["updated_at"])


def _begin(kept: dict[str, Any]) -> dict[str, Any]:
    """Return where a sweep begins: however many orders were never placed, none that holds money waits."""
    if kept.get("state") == STATES[-1]:
        return {"state": STATES[0], "new_after": kept.get("after", "")}
    return {"state": STATES[0], **kept}


def _following(place: dict[str, Any], after: str | None) -> dict[str, str] | None:
    """Return where to continue: in the same state, in the next one, or nowhere."""
    state, new_after = place["state"], place.get("new_after", "")
    if not after:
        later = STATES[STATES.index(state) + 1 :]
        if not later:
            return None
        state, after = later[0], new_after if later[0] == STATES[-1] else ""
    kept = {"new_after": new_after} if new_after and state != STATES[-1] else {}
    return {"state": state, "after": after, **kept}
