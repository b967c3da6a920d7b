"""Bodies, queries and answers of what is not about one order: lists, settlement, what auditors read."""

from data_api.domain.order import Order, State
from data_api.domain.requests import Document
from data_api.schemas import bodies
from data_api.schemas.views import moment
from payment_data.fields import Array, Boolean, Choice, Integer, Object, Text, Timestamp
from payment_data.money import MAX_BALANCE

_MOST = 10**18
_STATE = Choice([state.value for state in State])
_COUNT = Integer(0, _MOST)
_SUM = Integer(-_MOST, _MOST)
_TEXT = Text(400)
_AMOUNT = Integer(0, MAX_BALANCE)
_PLACE = Text(
    400, 0, r"^[A-Za-z0-9_~:+. -]*$", "must be what an earlier answer gave as `next`", "Where to go on."
)
_AFTER = Text(64, 0, r"^[A-Za-z0-9_-]*$", "must be what an earlier answer gave as `next`", "Where to go on.")

LIST = Object({"state": _STATE, "after": _PLACE, "limit": Integer(1, 200)}, ("state", "after", "limit"))
SWEEP = Object(
    {"state": _STATE, "after": _PLACE, "new_after": _PLACE},
    ("state", "after", "new_after"),
    "Where a sweep stopped, if it did, and where it goes on among new orders once it comes to them.",
)
_OWNER = Text(
    90,
    0,
    r"^[a-z_]*(:[A-Za-z0-9_-]{1,64})?$",
    "must be what an earlier answer gave as `next`",
    "Where to go on.",
)
OWNERS_PAGE = Object({"after": _OWNER, "limit": Integer(1, 1000)}, ("after", "limit"))
PAGE = Object({"after": _AFTER, "limit": Integer(1, 500)}, ("after", "limit"))
SETTLEMENT = Object(
    {"limit": Integer(1, 500, "How many orders of a kind at a time."), "after": _PLACE}, ("after",)
)

SETTLED = Object(
    {"opened": _COUNT, "entered": _COUNT, "settled": _COUNT, "disputed": _COUNT, "next": _PLACE},
    ("next",),
    "How many users and products, and how many orders; `next` while there may be more.",
)
LISTED = Object(
    {
        "orders": Array(
            Object(
                {
                    "order_id": bodies.ORDER_ID,
                    "user_id": bodies.USER_ID,
                    "state": _STATE,
                    "currency": bodies.CURRENCY,
                    "total": _AMOUNT,
                    "created_at": Timestamp(),
                    "updated_at": Timestamp(),
                    "paid_by": bodies.METHOD,
                },
                ("paid_by",),
            ),
            0,
            200,
        ),
        "next": _PLACE,
    },
    ("next",),
    "Orders, longest unchanged first.",
)
LEG = Object(
    {"key": _TEXT, "order_id": _TEXT, "transaction": _TEXT, "account": _TEXT, "unit": _TEXT, "amount": _SUM}
)
_RECORD = Object({"state": _TEXT, "amount": _AMOUNT})
PAYMENT = Object(
    {
        **_RECORD.properties,
        "attempt": _COUNT,
        "method": _TEXT,
        "currency": _TEXT,
        "payment_intent": _TEXT,
        "in_order": Boolean("Its history leads to its state, in time, and says why it ended."),
        "closed": Boolean("Of a void one: the gateway took nothing, and never will."),
        "adjustments": Array(bodies.ADJUSTMENT_VIEW, 0, 1000),
    },
    ("payment_intent", "closed"),
)
_MOVE = Object({"from": _TEXT, "to": _TEXT}, ("from",))
AUDITED = Object(
    {
        "order_id": bodies.ORDER_ID,
        "user_id": bodies.USER_ID,
        "currency": bodies.CURRENCY,
        "total": _AMOUNT,
        "state": _STATE,
        "created_at": Timestamp(),
        "updated_at": Timestamp(),
        "synthetic": Boolean(),
        "as_created": Boolean("Payer, currency and lines are those of the request that created it."),
        "as_paid": Boolean("What it was paid with is its own method, total and currency."),
        "as_failed": Boolean("The reasons in its history are those of its decision and its failures."),
        "unknown": Array(_TEXT, 0, 101, description="What it names and does not exist."),
        "other_currency": Array(_TEXT, 0, 101, description="What it names whose currency is another."),
        "other_price": Array(_TEXT, 0, 101, description="Products that never had the price of its line."),
        "history": Array(_MOVE, 0, 1000),
        "in_time": Boolean("Its times agree, and those of its legs, by clocks that may differ."),
        "deadline": Timestamp(),
        "books": _TEXT,
        "paid_by": bodies.METHOD,
        "ledger": Array(_TEXT, 0, 1000),
        "operation": _RECORD,
        "payments": Array(PAYMENT, 0, 100),
        "lines": Array(
            Object(
                {
                    "product_id": bodies.PRODUCT_ID,
                    "quantity": bodies.QUANTITY,
                    "price": _AMOUNT,
                    "delivery_address": bodies.ADDRESS,
                    "hold": _RECORD,
                },
                ("hold",),
            ),
            1,
            bodies.MAX_LINES,
        ),
        "deliveries": Array(
            Object(
                {
                    "line": _COUNT,
                    "product_id": bodies.PRODUCT_ID,
                    "quantity": bodies.QUANTITY,
                    "delivery_address": bodies.ADDRESS,
                    "state": _TEXT,
                }
            ),
            0,
            bodies.MAX_LINES,
        ),
        "legs": Array(LEG, 0, 1000),
    },
    ("deadline", "books", "operation", "paid_by"),
)
AUDITED_ORDERS = Object(
    {
        "orders": Array(AUDITED, 0, 500),
        "strays": Array(LEG, 0, 10**6),
        "stray_payments": Array(
            Object({**PAYMENT.properties, "order_id": _TEXT}, ("payment_intent", "closed")), 0, 10**6
        ),
        "next": _AFTER,
    },
    ("next",),
    "Orders by id with every record of theirs; strays are of orders that do not exist.",
)
_ACCOUNT = Object(
    {
        "id": _TEXT,
        "opening": _AMOUNT,
        "free": Integer(-_MOST, _MOST, "What is available, or the balance."),
        "taken": Integer(0, _MOST, "What its records hold, or have charged."),
        "pending": Integer(0, _MOST, "That part of it which is not in the ledger yet."),
        "gone": Integer(0, _MOST, "What was sold, or spent."),
        "books": _TEXT,
        "ledger": Object(
            {"opening": _SUM, "free": _SUM, "taken": _SUM, "gone": _SUM}, (), "What the ledger says."
        ),
        "strays": Array(
            bodies.ORDER_ID, 0, 1000, description="Records of orders that are unknown or settled."
        ),
        "as_opened": Boolean("It is what it was created as, and began with that, in the ledger too."),
    },
    ("opening", "books"),
)
OWNERS = Object(
    {
        "owners": Array(
            Object({"owner": _OWNER, "known": Boolean("There is such a product, user or method.")}), 0, 1000
        ),
        "next": _OWNER,
    },
    ("next",),
    "Whose accounts the ledger has.",
)
AUDITED_ACCOUNTS = Object({"accounts": Array(_ACCOUNT, 0, 500), "next": _AFTER}, ("next",))
COUNTS = Object({"orders": _COUNT, "products": _COUNT, "users": _COUNT}, (), "About how many there are.")


def listed(order: Order) -> Document:
    """Make the short view of an order, one of `LISTED`."""
    return {
        "order_id": order.id,
        "user_id": order.user_id,
        "state": order.state.value,
        "currency": order.currency,
        "total": order.total,
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
        **({"paid_by": order.paid_by} if order.paid_by else {}),
    }
