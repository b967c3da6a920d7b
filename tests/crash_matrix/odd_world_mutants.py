"""One mutant for each protection against a world that changes: releases, restores, late requests."""

from typing import Any

from templates.definitions.payment_workflow import CHARGE, RECORD, RESERVE
from tests.crash_matrix.faults import Fault, Kind
from tests.crash_matrix.gateway_mutants import NOT_BARRED
from tests.crash_matrix.mutants import LEFT_CHARGE, LEFT_HOLDS, LEFT_OPEN
from tests.crash_matrix.mutations import Edit, Mutant

_COMPLETE = "data_api.use_cases.arrange_deliveries"
_CARD, _BANK = ("card",), ("bank_account",)
_RESERVE_FAILS = (
    Fault(f"{RESERVE} / invoke", Kind.OVERTAKEN, 1),
    Fault(f"{RESERVE} / invoke", Kind.CRASH_BEFORE, None),
)
_CHARGE_LOST = (Fault(f"{CHARGE} / PUT payments/1/capture #1", Kind.CRASH_BEFORE, 1),)
_CHARGE_NOT_NOTED = (Fault(f"{CHARGE} / PUT payment #1 / orders.update_one #1", Kind.CRASH_BEFORE, 1),)
_STOPPED = "another execution was stopped"
_CONFIGURED = "credit is configured"


def _never_refund_first(definition: dict[str, Any]) -> None:
    del definition["States"][RECORD]["Catch"]


ODD_WORLD = (
    Mutant(
        "a release that lands after pruning leaves nothing",
        ("declined",),
        (
            Edit(
                "data_api.storage.products:void",
                'in_time = {"$expr": {"$lt": ["$$NOW", until]}}',
                "in_time = {}",
            ),
        ),
        sites="products.bulk_write",
        kinds=("lands after pruning", "freezes before, resumes after pruning"),
    ),
    Mutant(
        "a refund that lands after pruning leaves nothing",
        ("delivery refused",),
        (Edit("data_api.storage.users:refund", '"$expr": {"$lt": ["$$NOW", until]},', ""),),
        sites="users.find_one_and_update",
        kinds=("lands after pruning", "freezes before, resumes after pruning"),
    ),
    Mutant(
        "undo goes by the order's own record",
        (_CONFIGURED, "delivery refused"),
        (Edit("data_api.use_cases.undo:undo_payment", "if order.paid_by in GATEWAYS:", "if False:"),),
        methods=_CARD,
    ),
    Mutant(
        "undo asks the gateway that was paid through, whatever is configured",
        (_CONFIGURED,),
        (
            Edit(
                "payment_data.payment_methods.registry:undo",
                "if recorded == configured.name or recorded not in _METHODS:",
                "if True:",
            ),
            NOT_BARRED,
        ),
        methods=_CARD,
        given=_CHARGE_LOST,
    ),
    Mutant(
        "credit is not charged for an order of another method",
        (_CONFIGURED,),
        (
            Edit(
                "data_api.use_cases.charge_credit:charge_credit",
                'if order.paid_by not in (None, request["method"]):',
                "if False:",
            ),
        ),
        methods=_CARD,
        given=_CHARGE_LOST,
    ),
    Mutant(
        "a gateway is not asked for an order of another method",
        ("card is configured",),
        (Edit("data_api.use_cases.open_payment:_check_payable", "if order.paid_by != method:", "if False:"),),
        given=_CHARGE_NOT_NOTED,
    ),
    Mutant(
        "an order whose execution succeeded is parked",
        ("restored afterwards",),
        (Edit("templates.definitions.sweeper:_order", ", _DONE: PARK", ""),),
    ),
    Mutant(
        "an order whose execution succeeded is not refunded by its gateway",
        ("restored afterwards",),
        (Edit("templates.definitions.sweeper:_order", ", _DONE: PARK", ""),),
        methods=_CARD,
    ),
    Mutant(
        "no order fails while a payment of another execution is captured",
        (_STOPPED,),
        (NOT_BARRED,),
        methods=_CARD,
        given=_RESERVE_FAILS,
    ),
    Mutant(
        "no order fails while a charge of another execution stands",
        (_STOPPED,),
        (LEFT_CHARGE,),
        given=_RESERVE_FAILS,
    ),
    Mutant(
        "what a late request of a failed execution began is ended with it",
        ("no such order",),
        (LEFT_OPEN,),
        sites=f"{RESERVE} / invoke",
        given=(Fault(f"{RECORD} / PUT failure #1", Kind.OVERTAKEN, 1),),
    ),
    Mutant(
        "a payment that is not undone is refunded before the failure is recorded",
        (_STOPPED,),
        definition=_never_refund_first,
        methods=_CARD,
        given=_RESERVE_FAILS,
    ),
    Mutant(
        "a line that cannot be delivered is not completed",
        ("delivery refused",),
        (Edit("data_api.storage.orders:complete", '"undeliverable": {"$exists": False}, ', ""),),
    ),
    Mutant(
        "deliveries are written with the order's end",
        ("happy",),
        (Edit("data_api.storage.orders:complete", "update | _arranged()", "update"),),
    ),
    Mutant(
        "what a restore took back is held again before the order is completed",
        ("restored afterwards",),
        (Edit(f"{_COMPLETE}:complete_lost", "_hold_again(db, order, lands_by)", "pass"),),
    ),
    Mutant(
        "what a restore took back is charged again before the order is completed",
        ("restored afterwards",),
        (Edit(f"{_COMPLETE}:complete_lost", "_charge_again(db, order, fingerprint, lands_by)", "pass"),),
    ),
    Mutant(
        "a capture that a restore took back is recorded again before the order is completed",
        ("restored afterwards",),
        (
            Edit(
                f"{_COMPLETE}:_check_capture",
                "payment is None or payment.state in UNSETTLED",
                "payment is None",
            ),
        ),
        methods=_CARD,
    ),
    Mutant(
        "a capture puts the deadline off",
        ("happy",),
        (Edit("data_api.use_cases.follow_payment:capture_payment", "extend=DELIVERY_TIME,", ""),),
        methods=_BANK,
        kinds=("lands after the deadline",),
        survives="an order that a bank paid too late to be delivered is refunded: no guarantee is broken",
    ),
    Mutant(
        "what is held already is not held again",
        ("happy",),
        (
            Edit(
                "data_api.use_cases.reserve_products:_reserve",
                "if stock[line.product_id].hold is None]",
                "]",
            ),
        ),
        sites="products.bulk_write",
    ),
    Mutant(
        "a payment of an order that is over is barred",
        ("delivery refused",),
        (
            Edit(
                "data_api.use_cases.record_failure:_fail",
                "if order.paid_by in GATEWAYS:",
                "if False:",
            ),
        ),
        methods=_CARD,
        given=(Fault("Refund payment / invoke", Kind.CRASH_BEFORE, None),),
        survives="a second belt: what could not be refunded parks the order, which never fails by that",
    ),
    Mutant(
        "holds and charge of a failing order are both undone",
        ("declined", "delivery refused"),
        (LEFT_HOLDS, LEFT_CHARGE),
    ),
    Mutant(
        "the gateway's refund survives an error that its key repeats",
        ("delivery refused",),
        (
            Edit(
                "payment_data.payment_methods.stripe_gateway:StripeGateway.refund",
                "raise KeySpent(key) from None",
                "raise",
            ),
        ),
        methods=_CARD,
        kinds=("answers 500, and repeats it for a day",),
        survives="after a day the key is free, and a redrive refunds; the money library has its own tests",
    ),
)
