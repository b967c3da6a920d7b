"""List orders, those first that have not changed for longest, and keep where a sweep along them stopped."""

from data_api.domain.order import State
from data_api.domain.requests import Document
from data_api.schemas import accounting
from data_api.schemas.views import Answer
from data_api.storage import order_pages
from data_api.storage.database import Db
from data_api.storage.settlement import Place
from payment_data.errors import FieldError, InvalidRequest

_LIMIT = 100


def list_orders(db: Db, query: Document) -> Answer:
    """Return a page of orders in a state, or in any.

    Raises:
        InvalidRequest: `after` is nothing that an earlier page gave.
    """
    limit = query.get("limit", _LIMIT)
    states = [query["state"]] if "state" in query else list(State)
    page = order_pages.by_change(db, states, _place(query.get("after", "")), limit)
    answer: Document = {"orders": [accounting.listed(order) for order in page]}
    if len(page) == limit:
        answer["next"] = f"{page[-1].updated_at.isoformat()}~{page[-1].id}"
    return Answer(answer)


def _place(text: str) -> Place | None:
    if not text:
        return None
    at, _, order_id = text.partition("~")
    try:
        return Place.parse(at, order_id)
    except ValueError as error:
        rule = "must be what an earlier answer gave as `next`"
        raise InvalidRequest("the query breaks a rule", [FieldError("after", rule)]) from error


def keep_sweep(db: Db, place: Document) -> Answer:
    """Keep where a sweep stopped; without a place, that it came to the end."""
    order_pages.keep_sweep(db, place)
    return Answer(place)


def show_sweep(db: Db) -> Answer:
    """Return where the last sweep stopped; without a place, it came to the end."""
    return Answer(order_pages.find_sweep(db))
