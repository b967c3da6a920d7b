"""Read orders with every record, delivery and leg of theirs, for whoever proves that they fit together."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo.client_session import ClientSession

from data_api.domain.order import Order
from data_api.domain.requests import Document
from data_api.schemas import accounting
from data_api.schemas.views import Answer
from data_api.storage import ledger, order_pages, payments, records
from data_api.storage.database import Db

_LIMIT = 200
_MOST_LINES = 1_000  # of a page, so that its answer stays within Lambda's 6 MB and MongoDB's two seconds


def audit_orders(db: Db, query: Document) -> Answer:
    """Return a page of orders by id, all as they were at one moment; none that smoke executions made."""
    after, limit = query.get("after", ""), query.get("limit", _LIMIT)
    # https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
    with db.client.start_session(snapshot=True) as session:
        orders = order_pages.by_id(db, after, limit + 1, session)
        page = _light(orders[:limit])
        last = page[-1].id if len(page) < len(orders) else None
        legs = ledger.between(db, after, last, session)
        views, strays = _views(db, page, legs, session)
        lost = payments.strays(db, after, last, [order.id for order in page], session)
    answer: Document = {
        "orders": views,
        "strays": [accounting.leg(leg) for leg in strays],
        "stray_payments": [{"order_id": p["order_id"], **accounting.audited_payment(p)} for p in lost],
    }
    return Answer(answer | ({"next": last} if last else {}))


def _light(orders: Sequence[Order]) -> list[Order]:
    """Return as many as are not too much for one answer, but one at least."""
    page, lines = list[Order](), 0
    for order in orders:
        lines += len(order.lines)
        if page and lines > _MOST_LINES:
            break
        page.append(order)
    return page


def _views(
    db: Db, page: Sequence[Order], legs: Sequence[Document], session: ClientSession
) -> tuple[list[Document], list[Document]]:
    recorded, unknown = records.by_order(db, page, session), records.unknown(db, page, session)
    by_order = defaultdict[str, list[Document]](list)
    for leg in legs:
        by_order[leg["order_id"]].append(leg)
    views = [accounting.audited(o, recorded[o.id], by_order.pop(o.id, []), unknown[o.id]) for o in page]
    return views, [leg for left in by_order.values() for leg in left]
