"""One mutant for each protection of a payment through a gateway."""

from typing import Any

from templates.definitions.payment_workflow import CHARGE
from tests.crash_matrix.mutants import unfenced
from tests.crash_matrix.mutations import Edit, Mutant

_STRIPE = "payment_data.payment_methods.stripe_payment:StripePayment"
_REFUND_KEY = "payment_data.payment_methods.stripe_payment:_refund_key"
_CARD, _BANK = ("card",), ("bank_account",)
_SAVED = "self._records.save(record, intent.id, execution=execution)"
_FIND = "if opened_before := payments.find(db, order_id, number):"
NOT_BARRED = Edit(
    "data_api.use_cases.record_failure:_fail",
    "if bar_payment(db, order, execution=execution, reason=reason).may_hold_money:",
    "if False:",
)
_UNEXPECTED = 'if intent.status not in ("succeeded", "canceled"):'
_CLOSES = '("succeeded", "processing", "canceled")'


def _no_patience(definition: dict[str, Any]) -> None:
    rules = definition["States"][CHARGE]["Retry"]
    definition["States"][CHARGE]["Retry"] = [r for r in rules if "PaymentPending" not in r["ErrorEquals"]]


GATEWAY = (
    Mutant(
        "what the shopper's bank took back is not owed once more",
        ("delivery refused, and the bank took the money back",),
        (
            Edit(
                "payment_data.payment_methods.stripe_payment:StripePayment._give_back",
                "if (taken := self._gateway.disputed(intent_id)) < left:",
                "if (taken := self._gateway.disputed(intent_id)) <= left:",
            ),
        ),
        methods=_CARD,
    ),
    Mutant(
        "idempotency key of a PaymentIntent",
        ("happy",),
        (Edit(f"{_STRIPE}._collect", 'f"{record.key}:pi"', '__import__("uuid").uuid4().hex'),),
        methods=_CARD,
        sites="stripe POST payment_intents #1",
    ),
    Mutant(
        "only the saved PaymentIntent is confirmed",
        ("happy",),
        (Edit(f"{_STRIPE}._collect", _SAVED, f"{_SAVED}._replace(payment_intent=intent.id)"),),
        methods=_CARD,
        survives="for a day the key gives the same PaymentIntent; the gateway's own tests let it forget",
    ),
    Mutant(
        "record of a payment that was opened",
        ("happy", "started twice at once"),
        (
            Edit(
                "data_api.use_cases.open_payment:open_payment",
                "if opened_before := payments.find(db, order_id, number):",
                "if None:",
            ),
        ),
        methods=_CARD,
    ),
    Mutant(
        "an opened payment that is over is not taken up again",
        ("delivery refused",),
        (Edit("data_api.use_cases.open_payment:_as_opened", "if refusal := payment.refusal():", "if None:"),),
        methods=_CARD,
        survives="a second belt: saving the PaymentIntent's id and capturing find that it is over, too",
    ),
    Mutant(
        "tombstone of a payment",
        ("happy",),
        (
            Edit(
                "data_api.use_cases.undo:_bar",
                "payments.bar(db, order, attempt, str(order.paid_by), execution=execution, reason=reason)",
                'return Payment(order.id, attempt, str(order.paid_by), "void", 0, order.currency)',
            ),
        ),
        methods=_CARD,
        sites="payments.insert_one",
    ),
    Mutant(
        "compare-and-set of a payment",
        ("happy",),
        (unfenced("target.islower()"),),  # a payment's, never an order's
        methods=_CARD,
        sites="payments/1/capture",
    ),
    Mutant(
        "an undo bars what is not settled",
        ("happy",),
        (Edit("data_api.use_cases.undo:_bar", "elif payment.state in UNSETTLED:", "elif False:"),),
        methods=_CARD,
        sites="payments/1/capture",
    ),
    Mutant(
        "cancel at the gateway before deciding on a refund",
        ("happy",),
        (
            Edit(f"{_STRIPE}._holds_money", "self._gateway.cancel(", "self._gateway.retrieve("),
            Edit(
                f"{_STRIPE}._holds_money", 'if intent.status not in ("succeeded", "canceled"):', "if False:"
            ),
        ),
        methods=_CARD,
        sites="confirm",
    ),
    Mutant(
        "refund of what was captured and not recorded",
        ("happy",),
        (Edit(f"{_STRIPE}._holds_money", 'return intent.status == "succeeded"', "return False"),),
        methods=_CARD,
        sites="confirm",
    ),
    Mutant(
        "a declined payment is closed at the gateway",
        ("declined",),
        (Edit(f"{_STRIPE}._settled", "closed = self._gateway.cancel(intent_id)", "closed = intent"),),
        methods=_CARD,
    ),
    Mutant(
        "record of a gateway's decline, where a failing order bars no payment",
        ("declined",),
        (
            Edit(
                f"{_STRIPE}._collect",
                "str(self._records.decline(record, reason, execution=execution).reason)",
                "reason",
            ),
            NOT_BARRED,
        ),
        methods=_CARD,
    ),
    Mutant(
        "idempotency key of a refund",
        ("delivery refused",),
        (Edit(_REFUND_KEY, 'f"{record.key}:refund"', '__import__("uuid").uuid4().hex'),),
        methods=_CARD,
        sites="Refund payment / stripe",
        survives="the gateway never gives back more than it took, and says that it did",
    ),
    Mutant("a bank is waited for", ("happy",), definition=_no_patience, methods=_BANK),
    Mutant(
        "a debit under way is not closed",
        ("happy",),
        (Edit(f"{_STRIPE}._settled", _CLOSES, '("succeeded", "canceled")'),),
        methods=_BANK,
        survives="the gateway refuses to cancel what is processing, and its answer is heeded",
    ),
    Mutant(
        "the undo of a debit waits for the bank",
        ("happy",),
        (
            Edit(f"{_STRIPE}._holds_money", 'if intent.status == "processing":', "if False:"),
            Edit(f"{_STRIPE}._holds_money", _UNEXPECTED, "if False:"),
        ),
        methods=_BANK,
        sites="confirm",
    ),
)
