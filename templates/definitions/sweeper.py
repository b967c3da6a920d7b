"""The sweeper: finishes orders whose execution ended half-way, by undoing what they did.

An execution that somebody stopped, that ran into a limit, or that failed with what `States.ALL` does not
catch leaves its order in between. EventBridge tells of each; a schedule finds what no event told of. An order
is undone only if its execution has ended, and by the same functions as ever, whose fences make a second undo,
or one beside a redrive, harmless. Nobody can tell of an execution that Step Functions does not know, because
its stack was deleted or it ended 90 days ago; then an order that was begun is undone once no deadline can lie
ahead any more. What cannot be undone now is tried again by the next sweep, and an alarm rings.

An order whose execution succeeded was completed, so a document that says otherwise was restored or is
damaged: it is parked for a person, and undone only when that person asks for it by name. A scheduled sweep
goes on where the one before stopped, so orders that wait for a bank hide none of those behind them; a sweep
that leaves pages of orders that may hold money fails. Orders that were never placed come last, however many
there are, and each sweep looks at money first.
"""

from __future__ import annotations

from payment_data.error_names import PENDING_ERRORS
from payment_data.metrics import ABANDONED, LOST
from templates.definitions.tasks import (
    EXECUTION,
    FORWARD_RETRY,
    State,
    catch,
    choice,
    invoke,
    jsonata,
    short_cause,
)

BEGIN = "Begin"
FIND = "Find unfinished orders"
EACH = "Look at each order"
LOOK = "Look at its execution"
ENDED = "Has it ended?"
GONE = "Is the order overdue?"
REFUND = "Refund payment"
RELEASE = "Release products"
NOTE = "Record why not"
RECORD = "Record the failure"
PARK = "Park it for a person"
ALONE = "Leave it alone"
SWEPT = "Swept"
LATER = "Try again later"
MORE = "Are there more orders?"
KEEP = "Keep where it stopped"
LEFT = "Is a page left?"
ALL = "Is every order swept?"
CLEAN = "All swept"
INCOMPLETE = "Some could not be swept"
BEHIND = "Pages are left"

AT_ONCE = 10
PAGES = 10
"""Of 100 orders each, or the execution's history would grow beyond 25,000 events (Step Functions quotas)."""

SUBSTITUTIONS = {
    "find_unfinished": "FindUnfinishedVersion",
    "refund_payment": "RefundPaymentVersion",
    "release_products": "ReleaseProductsVersion",
    "record_failure": "RecordFailureVersion",
}
"""Function name to the substitution that holds its version's ARN."""

_RUNNING = "$states.input.status in ['RUNNING', 'PENDING_REDRIVE']"
_DONE = "$states.input.status = 'SUCCEEDED' and $not($undo)"
_UNKNOWN = "Sfn.ExecutionDoesNotExistException"
"""Never placed, or long forgotten: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""


def definition() -> State:
    """Return the definition; input {order_id, undo} for one order, else {quiet_seconds} for all."""
    return {
        "Comment": "Undoes orders whose execution ended half-way",
        "QueryLanguage": "JSONata",
        "StartAt": BEGIN,
        "States": {
            BEGIN: {
                "Type": "Pass",
                "Assign": {"next": jsonata(f"{EXECUTION}.Input"), "swept": 0, "later": 0, "pages": 0},
                "Next": FIND,
            },
            FIND: _find(),
            EACH: _each(),
            MORE: choice({f"$exists($next.state) and $pages < {PAGES}": FIND}, KEEP),
            KEEP: invoke(
                SUBSTITUTIONS["find_unfinished"],
                {"stopped_at": jsonata("$next"), "asked": jsonata(f"{EXECUTION}.Input")},
                Retry=[FORWARD_RETRY],
                Next=ALL,
            ),
            ALL: choice({"$later = 0": LEFT}, INCOMPLETE),
            # A new order holds nothing unless its execution ended in its first step: no page is urgent.
            LEFT: choice({"$exists($next.state) and $next.state != 'NEW'": BEHIND}, CLEAN),
            CLEAN: {"Type": "Succeed", "Output": {"swept": jsonata("$swept")}},
            INCOMPLETE: {
                "Type": "Fail",
                "Error": "SweepIncomplete",
                "Cause": jsonata("$string($later) & ' order(s) could not be undone; another sweep follows'"),
            },
            BEHIND: {
                "Type": "Fail",
                "Error": "SweepBehind",
                "Cause": f"orders are left after {PAGES} pages; the next sweep goes on there",
            },
        },
    }


def _find() -> State:
    answer = "$states.result.Payload"
    return invoke(
        SUBSTITUTIONS["find_unfinished"],
        jsonata("$next"),
        Retry=[FORWARD_RETRY],
        Assign={
            "next": jsonata(f"$exists({answer}.next) ? $merge([{EXECUTION}.Input, {answer}.next]) : {{}}"),
            "pages": jsonata("$pages + 1"),
        },
        Next=EACH,
    )


def _each() -> State:
    results = "$states.result[$={}]"
    return {
        "Type": "Map",
        "Items": jsonata("$states.input.orders"),
        "MaxConcurrency": AT_ONCE,
        "ItemProcessor": {"StartAt": LOOK, "States": _order()},
        "Assign": {
            "swept": jsonata(f"$swept + $count({results.format(repr(SWEPT))})"),
            "later": jsonata(f"$later + $count({results.format(repr(LATER))})"),
        },
        "Next": MORE,
    }


def _order() -> dict[str, State]:
    unknown: State = {
        "order_id": jsonata("$states.input.order_id"),
        "started": jsonata("$states.input.updated_at"),
        "overdue": jsonata("$states.input.overdue"),
        "what": "is unknown",
    }
    return {
        LOOK: {
            "Type": "Task",
            "Resource": "arn:${Partition}:states:::aws-sdk:sfn:describeExecution",
            "Arguments": {"ExecutionArn": jsonata("'${Executions}:' & $states.input.order_id")},
            "Assign": {
                "order_id": jsonata("$states.input.order_id"),
                "started": jsonata("$states.result.StartDate"),
                "undo": jsonata("$states.input.undo"),
                "what": jsonata("'ended ' & $states.result.Status"),
            },
            "Output": {"status": jsonata("$states.result.Status")},
            "TimeoutSeconds": 10,
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "JitterStrategy": "FULL"}],
            "Catch": [catch([_UNKNOWN], GONE, unknown), catch(["States.ALL"], LATER)],
            "Next": ENDED,
        },
        ENDED: choice({_RUNNING: ALONE, _DONE: PARK}, REFUND),
        GONE: choice({"$overdue": REFUND}, ALONE),
        REFUND: _undo(REFUND, "refund_payment", RELEASE),
        RELEASE: _undo(RELEASE, "release_products", RECORD),
        NOTE: _note(),
        RECORD: _record("'its execution ' & $what & ' and left it half-way'", ABANDONED, undone=True),
        PARK: _record(
            "'its execution ' & $what & ', so its data was restored or is damaged'", LOST, undone=False
        ),
        **{name: {"Type": "Pass", "Output": name, "End": True} for name in (SWEPT, ALONE, LATER)},
    }


def _undo(name: str, function: str, following: str) -> State:
    why = {"step": f"Sweep: {name}", "error": jsonata("$states.errorOutput.Error")}
    failed = catch(["States.ALL"], NOTE, {"failure": why | {"cause": jsonata(short_cause())}})
    asked = {"order_id": jsonata("$order_id"), "execution": jsonata(f"{EXECUTION}.Id"), "reason": ABANDONED}
    return invoke(
        SUBSTITUTIONS[function],
        asked,
        Retry=[FORWARD_RETRY],
        # Complete after all, or the bank has not answered yet.
        Catch=[catch(["OrderCompleted", *PENDING_ERRORS], ALONE), failed],
        Next=following,
    )


def _note() -> State:
    """Return the state that records why an undo failed, and leaves the order to the next sweep."""
    failure = {name: jsonata(f"$failure.{name}") for name in ("step", "error", "cause")}
    return invoke(
        SUBSTITUTIONS["record_failure"],
        {
            "order_id": jsonata("$order_id"),
            "execution": jsonata(f"{EXECUTION}.Id"),
            **failure,
            "compensated": False,
            "record_only": True,
        },
        Retry=[FORWARD_RETRY],
        Catch=[catch(["States.ALL"], LATER)],
        Next=LATER,
    )


def _record(cause: str, error: str, *, undone: bool) -> State:
    """Return the state that ends an order, undone, or parks it."""
    failure: State = {
        "order_id": jsonata("$order_id"),
        "execution": jsonata(f"{EXECUTION}.Id"),
        "execution_name": jsonata("$order_id"),
        "started": jsonata("$started"),
        "step": "Sweep",
        "error": error,
        "cause": jsonata(cause),
        "compensated": undone,
    }
    return invoke(
        SUBSTITUTIONS["record_failure"],
        failure,
        Retry=[FORWARD_RETRY],
        Catch=[catch(["States.ALL"], LATER)],
        Next=SWEPT,
    )
