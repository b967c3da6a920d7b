"""The payment workflow: an order's journey, and the way back when a step fails.

Forward: check stock, charge, arrange delivery. Back: refund, release, record; what has nothing to undo is
skipped. An undo that cannot be finished parks the order: the execution fails in *Needs attention*, an
alarm rings, and a redrive goes the way back again.

`States.ALL` does not catch `States.DataLimitExceeded` and `States.Runtime` (Step Functions developer
guide, "Handling errors"), so payloads stay small and expressions never lack a value.
"""

from __future__ import annotations

from templates.definitions.tasks import (
    COMPENSATION_RETRY,
    DEADLINE,
    EXECUTION,
    FORWARD_RETRY,
    ORDER_ID,
    PENDING_RETRY,
    State,
    catch,
    choice,
    invoke,
    jsonata,
    short_cause,
)

RESERVE = "Check order products are available"
CHARGE = "Process order payment"
DELIVER = "Arrange delivery"
PLACED = "Order placed"
REFUND = "Refund payment"
RELEASE = "Release products"
RECORD = "Handle failure"
UNDONE = "Is everything undone?"
FAILED = "Payment failed"
PARKED = "Needs attention"

SUBSTITUTIONS = {
    "reserve_products": "ReserveProductsVersion",
    "process_payment": "ProcessPaymentVersion",
    "arrange_delivery": "ArrangeDeliveryVersion",
    "refund_payment": "RefundPaymentVersion",
    "release_products": "ReleaseProductsVersion",
    "record_failure": "RecordFailureVersion",
}
"""Function name to the substitution that holds its version's ARN."""
RELEASE_ID = "Release"
"""The substitution that tells this definition, with its functions' versions, from every other one."""

_REDRIVES = f"($exists({EXECUTION}.RedriveCount) ? {EXECUTION}.RedriveCount : 0)"
_UNDONE_SO_FAR: State = {"compensated": True, "undo_failures": {}}
# A Lambda function's error arrives as a JSON text; anything else is a sentence already.
_CAUSE = (
    "$contains($failure.cause, '\"errorMessage\"') and $length($failure.cause) < 30000"
    " ? $parse($failure.cause).errorMessage : $failure.cause"
)


def definition() -> State:
    """Return the workflow's definition, its functions as `${…Version}` substitutions.

    No time-out on the whole execution: it would end it without undoing anything.
    """
    return {
        "Comment": "An order's journey from stock to delivery, and back when a step fails",
        "QueryLanguage": "JSONata",
        "StartAt": RESERVE,
        "States": {**_forward(), **_back(), **_ends()},
    }


def _forward() -> dict[str, State]:
    return {
        RESERVE: _step(
            "reserve_products",
            CHARGE,
            [
                _failed(RESERVE, ["OutOfStock", "InvalidOrder", "OrderNotFound"], RECORD),
                _lost(RESERVE, RELEASE),
            ],
        ),
        CHARGE: _step(
            "process_payment",
            DELIVER,
            [_failed(CHARGE, ["PaymentDeclined", "InvalidOrder"], RELEASE), _lost(CHARGE, REFUND)],
            PENDING_RETRY,
        ),
        DELIVER: _step("arrange_delivery", PLACED, [_lost(DELIVER, REFUND)], started=True),
    }


def _back() -> dict[str, State]:
    """Undo latest first; one failed undo never skips the others."""
    return {
        REFUND: _undo(REFUND, "refund_payment", RELEASE, PENDING_RETRY),
        RELEASE: _undo(RELEASE, "release_products", RECORD),
        RECORD: invoke(
            SUBSTITUTIONS["record_failure"],
            _failure_payload(),
            Retry=[COMPENSATION_RETRY],
            Catch=[catch(["PaymentNotUndone"], REFUND)],
            Assign={"parked_redrive_count": jsonata(_REDRIVES)},
            Next=UNDONE,
        ),
        UNDONE: choice({"$compensated": FAILED}, PARKED),
        PARKED: invoke(
            SUBSTITUTIONS["record_failure"],
            _failure_payload() | _redrive_payload(),
            Comment="Fails with NeedsAttention until the execution is redriven, then undoes again",
            Retry=[COMPENSATION_RETRY],
            Assign=_UNDONE_SO_FAR,
            Next=REFUND,
        ),
    }


def _ends() -> dict[str, State]:
    return {
        PLACED: {"Type": "Succeed", "Output": {"order_id": jsonata(ORDER_ID)}},
        FAILED: {"Type": "Fail", "Error": jsonata("$failure.error"), "Cause": jsonata(_CAUSE)},
    }


def _step(function: str, following: str, catches: list[State], *waits: State, started: bool = False) -> State:
    """Return a forward step; the one that ends an order is told when that began, to measure it."""
    payload = _order_payload() | {"deadline": jsonata(DEADLINE)}
    if started:
        payload |= _measured()
    return invoke(
        SUBSTITUTIONS[function], payload, Retry=[FORWARD_RETRY, *waits], Catch=catches, Next=following
    )


def _undo(name: str, function: str, following: str, *waits: State) -> State:
    """Return a step of the way back; why it failed is remembered beside what is being undone."""
    completed = catch(["OrderCompleted"], PLACED)
    reason = f"{{'error': $states.errorOutput.Error, 'cause': {short_cause()}}}"
    failures = jsonata(f"$merge([$undo_failures, {{'{name}': {reason}}}])")
    incomplete = catch(["States.ALL"], following, {"compensated": False, "undo_failures": failures})
    payload = _order_payload() | {"reason": jsonata("$failure.error")}
    return invoke(
        SUBSTITUTIONS[function],
        payload,
        Retry=[COMPENSATION_RETRY, *waits],
        Catch=[completed, incomplete],
        Next=following,
    )


def _failed(step: str, errors: list[str], goto: str) -> State:
    """Catch named answers of a step: known to have changed nothing that `goto` does not undo."""
    cause = jsonata("$exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : ''")
    failure = {"step": step, "error": jsonata("$states.errorOutput.Error"), "cause": cause}
    return catch(errors, goto, {"failure": failure, **_UNDONE_SO_FAR})


def _lost(step: str, goto: str) -> State:
    """Catch everything else: the step may have happened, so it is undone."""
    return _failed(step, ["States.ALL"], goto)


def _order_payload() -> State:
    return {"order_id": jsonata(ORDER_ID), "execution": jsonata(f"{EXECUTION}.Id")}


def _measured() -> State:
    """What tells how long an order took, and under which release of the workflow."""
    return {"started": jsonata(f"{EXECUTION}.StartTime"), "release": f"${{{RELEASE_ID}}}"}


def _failure_payload() -> State:
    return _order_payload() | {
        "execution_name": jsonata(f"{EXECUTION}.Name"),
        **_measured(),
        "step": jsonata("$failure.step"),
        "error": jsonata("$failure.error"),
        "cause": jsonata("$failure.cause"),
        "compensated": jsonata("$compensated"),
        "undo_failures": jsonata("$undo_failures"),
        "redrives": jsonata(_REDRIVES),
    }


def _redrive_payload() -> State:
    """Whether the execution was redriven since it was parked, also when it is parked a second time."""
    return {
        "redrive_count": jsonata(_REDRIVES),
        "parked_redrive_count": jsonata("$parked_redrive_count"),
    }
