"""Request bodies. Amounts are integers of minor units; unknown keys are refused."""

from payment_data.fields import LINES, Array, Boolean, Choice, Integer, Object, Text, Timestamp, identifier
from payment_data.money import EXPONENTS, MAX_AMOUNT, MAX_BALANCE
from payment_data.payment_methods.names import BALANCE as BALANCE_METHODS
from payment_data.payment_methods.names import NAMES, STRIPE

MAX_QUANTITY = 10_000
MAX_LINES = 100
MAX_AVAILABLE = 10**9

ORDER_ID = identifier("The order's id, which is also the name of its execution.")
PRODUCT_ID = identifier("The product's id.")
USER_ID = identifier("The user's id.")

NAME = Text(200, 1, description="What the product is called.")
TYPE = Text(64, 1, description="What kind of product it is.")
PRICE = Integer(1, MAX_AMOUNT, "Price of one, in minor units of the currency.")
CURRENCY = Choice(sorted(EXPONENTS), "must be an ISO 4217 currency code like EUR", "ISO 4217 currency code.")
QUANTITY = Integer(1, MAX_QUANTITY, "How many.")
AVAILABLE = Integer(0, MAX_AVAILABLE, "How many may still be held.")
USERNAME = Text(200, 1, description="The user's name.")
BALANCE = Integer(0, MAX_BALANCE, "Credit, in minor units of the currency.")
ADDRESS = Text(500, 1, LINES, description="Where to deliver. A blank one is rejected on delivery.")
SYNTHETIC = Boolean("Made by a smoke execution: uses synthetic data only, and may be deleted.")
EXECUTION = Text(2048, 1, description="ARN of the execution that asks, for the audit trail.")
DEADLINE = Timestamp("Not done later than this; at most 24 hours ahead.")
CREDIT = Choice(BALANCE_METHODS, description="The payment method that the data API does itself.")
METHOD = Choice(NAMES, description="The payment method.")
GATEWAY_METHOD = Choice(STRIPE, description="A payment method through a gateway.")
GATEWAY_ID = Text(
    68, 4, r"^(cus|pm)_[A-Za-z0-9_]{1,64}$", "must be an id of Stripe's like pm_1", "An id at the gateway."
)
PAYMENT_INTENT = Text(255, 4, r"^pi_[A-Za-z0-9_]+$", "must be an id like pi_1", "A PaymentIntent's id.")
DECLINE_REASON = Text(
    64, 1, r"^[a-z0-9_]+$", "must be a code like insufficient_funds", "Why the gateway declined."
)
NUMBER = Text(2, 1, r"^[1-9][0-9]?$", "must be 1 to 99", "Business data: which attempt to pay the order.")
ATTEMPT = Integer(1, 100, "Business data: which charge of the order this is. Never a retry count.")
STEP_NAME = Text(200, 1, LINES, description="State of the workflow that failed.")
ERROR = Text(200, 1, LINES, description="Error name.")
CAUSE = Text(32_768, 0, LINES, description="What happened, in words.")

LINE = Object(
    {
        "product_id": PRODUCT_ID,
        "name": NAME,
        "type": TYPE,
        "price": PRICE,
        "quantity": QUANTITY,
        "delivery_address": ADDRESS,
    },
    description="What is ordered of one product; name and price must be the product's.",
)
RESTOCK_ID = identifier("The restock's id: the same one adds once.")
TOP_UP_ID = identifier("The top-up's id: the same one adds once.")

PRODUCT = Object(
    {
        "name": NAME,
        "type": TYPE,
        "price": PRICE,
        "currency": CURRENCY,
        "available": AVAILABLE,
        "synthetic": SYNTHETIC,
    },
    ("synthetic",),
)
WALLET = Object(
    {"customer": GATEWAY_ID, "card": GATEWAY_ID, "bank_account": GATEWAY_ID},
    ("customer", "card", "bank_account"),
    "What the user pays with at the gateway: ids there, never numbers of cards or accounts.",
)
USER = Object(
    {
        "username": USERNAME,
        "balance": BALANCE,
        "currency": CURRENCY,
        "synthetic": SYNTHETIC,
        "wallet": WALLET,
    },
    ("synthetic", "wallet"),
)
RESTOCK = Object({"quantity": Integer(1, MAX_AVAILABLE, "How many came in.")})
TOP_UP = Object({"amount": Integer(1, MAX_BALANCE, "In minor units of the currency."), "currency": CURRENCY})
REPRICE = Object({"price": PRICE})
ORDER = Object(
    {
        "user_id": USER_ID,
        "currency": CURRENCY,
        "lines": Array(LINE, 1, MAX_LINES, unique="product_id", description="One line per product."),
        "synthetic": SYNTHETIC,
    },
    ("synthetic",),
)
STEP = Object({"execution": EXECUTION, "deadline": DEADLINE})
RESERVATION = Object({**STEP.properties, "method": METHOD})
PAYMENT = Object({"execution": EXECUTION, "deadline": DEADLINE, "method": CREDIT, "attempt": ATTEMPT})
OPEN_PAYMENT = Object({"execution": EXECUTION, "deadline": DEADLINE, "method": GATEWAY_METHOD})
SAVE_INTENT = Object({"execution": EXECUTION, "payment_intent": PAYMENT_INTENT})
EXECUTION_ONLY = Object({"execution": EXECUTION})
COMPLETION = Object(
    {"execution": EXECUTION, "method": METHOD, "payment_intent": PAYMENT_INTENT}, ("payment_intent",)
)
DECLINE = Object({"execution": EXECUTION, "reason": DECLINE_REASON})
CANCEL = Object({"execution": EXECUTION, "reason": Text(200, 1, LINES, description="Why, for the history.")})
ADJUSTMENT_ID = Text(
    80,
    4,
    r"^(re|du)_[A-Za-z0-9]{1,64}(-won|-failed)?$",
    "must be an id like re_1 or du_1",
    "A refund or dispute there.",
)
KIND = Choice(
    ("refund", "refund_failed", "dispute", "dispute_won"),
    description="What moved money later, without the workflow. A refund and a dispute take it away.",
)
ADJUSTMENT = Object(
    {"kind": KIND, "amount": Integer(1, MAX_AMOUNT, "In minor units of the payment's currency.")}
)
ADJUSTMENT_VIEW = Object({"id": ADJUSTMENT_ID, **ADJUSTMENT.properties})
_WHY = {"step": STEP_NAME, "error": ERROR, "cause": CAUSE}
UNDO_FAILURE = Object(_WHY, description="Why a step of the way back failed.")
FAILURE = Object(
    {
        "execution": EXECUTION,
        **_WHY,
        "compensated": Boolean("Everything is undone; false parks the order."),
        "record_only": Boolean("Leave an order of this id alone, which may be an execution's name."),
        "undo_failures": Array(UNDO_FAILURE, 1, 2, unique="step", description="What could not be undone."),
        "redrives": Integer(0, 1000, "How often the execution was redriven before the undo failed."),
    },
    ("record_only", "undo_failures", "redrives"),
)
