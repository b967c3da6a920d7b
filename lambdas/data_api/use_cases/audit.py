"""Read what orders, products and users have on record, and what the ledger says of the same, at one moment.

Whoever proves that they fit together pages through all of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pymongo.client_session import ClientSession

from data_api.domain import audited
from data_api.domain.order import Order, State
from data_api.domain.requests import Document
from data_api.schemas import audit_views
from data_api.schemas.views import Answer
from data_api.storage import failures, ledger, order_pages, payments, records
from data_api.storage.database import Db
from data_api.storage.records import AuditedAccount
from payment_data.payment_methods.names import STRIPE

_ORDERS_LIMIT: Final = 200
_MOST_LINES: Final = (
    1_000  # of a page, so that its answer stays within Lambda's 6 MB and MongoDB's two seconds
)
_MOST_ADDRESS_BYTES: Final = 2_000_000
_ACCOUNTS_LIMIT: Final = 50
_OWNERS: Final = 1_000
_CHUNK: Final = 1_000
_SHOWN: Final = 20
_ACCOUNTS: Final = {"opening": "opening", "available": "free", "held": "taken", "sold": "gone"} | {
    "balance": "free",
    "charged": "taken",
    "spent": "gone",
}
"""Last part of an account's name to what it is in the answer."""


_NO_RECORDS: Final = {ledger.SETTLED, ledger.SYNTHETIC}
"""How far an order has come that has no record here: all are gone, or it may use synthetic accounts only."""


class _Kind(NamedTuple):
    collection: str
    account: str
    sides: tuple[str, str, str, str]

    def owner(self, key: str) -> str:
        """Name the owner of accounts that one is."""
        return f"{self.account}:{key}"

    def names(self, key: str) -> list[str]:
        """Name the accounts of one."""
        return [f"{self.owner(key)}:{side}" for side in self.sides]


_PRODUCTS: Final = _Kind("products", "product", ("opening", "available", "held", "sold"))
_USERS: Final = _Kind("users", "user", ("opening", "balance", "charged", "spent"))


def audit_orders(db: Db, query: Document) -> Answer:
    """Return a page of orders by id, all as they were at one moment; none that smoke executions made."""
    after, limit = query.get("after", ""), query.get("limit", _ORDERS_LIMIT)
    # https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
    with db.client.start_session(snapshot=True) as session:
        page, more = _light(order_pages.by_id(db, after, limit + 1, session), limit)
        last = page[-1].id if more else None
        legs = ledger.between(db, after, last, session)
        views, strays = _views(db, page, legs, session)
        lost = payments.strays(db, after, last, [order.id for order in page], session)
    answer: Document = {
        "orders": views,
        "strays": [audit_views.leg(leg) for leg in strays],
        "stray_payments": [{"order_id": p["order_id"], **audit_views.audited_payment(p)} for p in lost],
    }
    return Answer(answer | ({"next": last} if last else {}))


def audit_products(db: Db, query: Document) -> Answer:
    """Return a page of products' stock, as records and ledger tell it, all at one moment."""
    return _audit(db, _PRODUCTS, query)


def audit_users(db: Db, query: Document) -> Answer:
    """Return a page of users' money, as records and ledger tell it, all at one moment."""
    return _audit(db, _USERS, query)


def audit(db: Db) -> Answer:
    """Return about how many documents there are to audit."""
    kinds = ("orders", "products", "users")
    return Answer({kind: db[kind].estimated_document_count() for kind in kinds})


def audit_ledger(db: Db, query: Document) -> Answer:
    """Return a page of those whose accounts the ledger has, and whether they exist."""
    limit = query.get("limit", _OWNERS)
    names = ledger.owners(db, query.get("after", ""), limit)
    known = set(STRIPE)
    for kind in (_PRODUCTS, _USERS):
        ids = [name.partition(":")[2] for name in names if name.startswith(f"{kind.account}:")]
        real = {"_id": {"$in": ids}, "books": {"$ne": ledger.SYNTHETIC}}
        documents = db[kind.collection].find(real, {"_id": True})
        known |= {f"{kind.account}:{document['_id']}" for document in documents}
    answer: Document = {"owners": [{"owner": name, "known": name in known} for name in names]}
    return Answer(answer | ({"next": names[-1]} if len(names) == limit else {}))


def _light(orders: Iterable[Order], limit: int) -> tuple[list[Order], bool]:
    """Return as many as are not too much for one answer, but one at least, and whether there are more."""
    page, lines, size = list[Order](), 0, 0
    for order in orders:
        lines += len(order.lines)
        size += 2 * sum(len(line.delivery_address.encode()) for line in order.lines)  # delivered there, too
        if page and (len(page) == limit or lines > _MOST_LINES or size > _MOST_ADDRESS_BYTES):
            return page, True
        page.append(order)
    return page, False


def _views(
    db: Db, page: Sequence[Order], legs: Sequence[Document], session: ClientSession
) -> tuple[list[Document], list[Document]]:
    recorded, named = records.by_order(db, page, session), records.named_by(db, page, session)
    failed = failures.by_order(db, [o.id for o in page if o.reached(State.CANCELLING)], session)
    by_order = defaultdict[str, list[Document]](list)
    for leg in legs:
        by_order[leg["order_id"]].append(leg)
    views = [
        audit_views.audited(o, recorded[o.id], by_order.pop(o.id, []), named)
        | {"as_failed": audited.as_failed(o, failed.get(o.id, ()))}
        for o in page
    ]
    return views, [leg for left in by_order.values() for leg in left]


def _audit(db: Db, kind: _Kind, query: Document) -> Answer:
    limit = query.get("limit", _ACCOUNTS_LIMIT)
    # https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
    with db.client.start_session(snapshot=True) as session:
        page = records.accounts(db, kind.collection, query.get("after", ""), limit, session)
        stages = _stages(db, page, session)
        names = [name for account in page for name in kind.names(account.id)]
        sums = ledger.sums(db, names, session) if names else {}
        unsure = [
            _unsure(db, kind.names(account.id), _under_way(account, stages), session) for account in page
        ]
        openings = ledger.openings(db, names, session) if names else {}
        begun = [openings.get(kind.owner(account.id)) for account in page]
        views = [
            _view(kind, account, each, stages, sums)
            | {"as_opened": audited.as_opened(kind.account, account.created, opening)}
            for account, each, opening in zip(page, unsure, begun, strict=True)
        ]
    answer: Document = {"accounts": views}
    return Answer(answer | ({"next": page[-1].id} if len(page) == limit else {}))


def _stages(db: Db, page: list[AuditedAccount], session: ClientSession) -> dict[str, str | None]:
    """Return how far the orders are that have records here; one that is unknown is left out."""
    keys = sorted({key for account in page for key, _, _ in account.records})
    stages: dict[str, str | None] = {}
    for chunk in _chunks(keys):
        orders = db.orders.find({"_id": {"$in": chunk}}, {"books": True}, session=session)
        stages |= {order["_id"]: order.get("books") for order in orders}
    return stages


def _under_way(account: AuditedAccount, stages: Mapping[str, str | None]) -> set[str]:
    """Return the orders whose legs may be entering the ledger right now."""
    return {key for key, _, _ in account.records if stages.get(key, "") in {None, ledger.SETTLING}}


def _unsure(db: Db, names: list[str], orders: set[str], session: ClientSession) -> dict[str, int]:
    """Return what in the ledger is of these orders."""
    total: dict[str, int] = {}
    for chunk in _chunks(sorted(orders)):
        for name, amount in ledger.sums(db, names, session, of=chunk).items():
            total[name] = total.get(name, 0) + amount
    return total


def _view(
    kind: _Kind,
    account: AuditedAccount,
    unsure: Mapping[str, int],
    stages: Mapping[str, str | None],
    sums: Mapping[str, int],
) -> Document:
    taking = {key: amount for key, taken, amount in account.records if taken}
    under_way = _under_way(account, stages)
    view: dict[str, Any] = {
        "id": account.id,
        "free": account.free,
        "taken": sum(taking.values()),
        "pending": sum(amount for key, amount in taking.items() if key in under_way),
        "gone": account.gone,
        "strays": [
            key
            for key, taken, _ in account.records
            if key not in stages or (taken and stages[key] in _NO_RECORDS)
        ][:_SHOWN],
        "ledger": {
            _ACCOUNTS[side]: sums.get(name, 0) - unsure.get(name, 0)
            for side, name in zip(kind.sides, kind.names(account.id), strict=True)
        },
    }
    if account.opening is not None:
        view["opening"] = account.opening
    return view | ({"books": account.books} if account.books else {})


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
