"""The guarantees of an order, asked of what is in the database when everything has ended.

One function each; each yields a sentence per violation. They know the documents, not the code behind them.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from payment_data.error_names import (
    BUSINESS_ERRORS,
    CONTRACT_ERRORS,
    PENDING_ERRORS,
    RETRIED_ERRORS,
)
from templates.definitions.payment_workflow import PARKED, PLACED, RECORD, REFUND, RELEASE
from tests.crash_matrix.executor import Execution, Outcome
from tests.crash_matrix.scenario import COMPLETED, USER, Overtaking, Scenario
from tests.crash_matrix.stripe_double import KEY_LIFE
from tests.crash_matrix.world import Documents

# The diagram of an order's states, written again on purpose: the code's own table is among what is tested.
LEGAL = {
    (None, "NEW"),
    ("NEW", "RESERVED"),
    ("RESERVED", "PAID"),
    ("PAID", "COMPLETED"),
    ("NEW", "CANCELLING"),
    ("RESERVED", "CANCELLING"),
    ("PAID", "CANCELLING"),
    ("CANCELLING", "FAILED"),
    ("CANCELLING", "NEEDS_ATTENTION"),
    ("NEEDS_ATTENTION", "CANCELLING"),
    ("NEEDS_ATTENTION", "COMPLETED"),
}
_MAY_STOP = (RECORD, PARKED)
TERMINAL = ("COMPLETED", "FAILED")
_DELIVERED = ("product_id", "quantity", "delivery_address")
_NEVER_RETRIED = {*BUSINESS_ERRORS, *CONTRACT_ERRORS}


@dataclass(frozen=True)
class Run:
    """One execution and how it ended at last."""

    label: str
    order_id: str
    execution: Execution
    outcome: Outcome
    stops: tuple[Outcome, ...] = ()
    """How it ended before each redrive."""


@dataclass(frozen=True)
class FinalState:
    """What is left after a cell."""

    scenario: Scenario
    documents: Documents
    runs: list[Run]
    deadlines: dict[str, datetime.datetime]
    transparent: bool
    """Every fault was one that retries should hide."""

    def one(self, collection: str, key: str) -> dict[str, Any]:
        """Find a document."""
        return next(document for document in self.documents[collection] if document["_id"] == key)

    def orders(self) -> list[dict[str, Any]]:
        """List the orders that executions were about."""
        about = {run.order_id for run in self.runs}
        return [order for order in self.documents["orders"] if order["_id"] in about]


def violations(after: FinalState) -> list[str]:
    """List every guarantee that does not hold."""
    found = [f"{check.__name__}: {sentence}" for check in CHECKS for sentence in check(after)]
    return found + [f"deadline: {sentence}" for sentence in late(after.documents, after.deadlines)]


def late(documents: Documents, deadlines: dict[str, datetime.datetime]) -> Iterator[str]:
    """Nothing is taken or begun after the deadline: records that would stop it may be pruned by then."""
    for order, deadline in deadlines.items():
        for product in documents["products"]:
            hold = product["holds"].get(order, {})
            if hold.get("state") == "held" and hold["at"] >= deadline:
                yield f"{product['_id']} was held for {order} at {hold['at']}, after {deadline}"
        for user in documents["users"]:
            operation = user["operations"].get(order, {})
            if operation.get("state") == "charged" and operation["at"] >= deadline:
                yield f"{order} was charged at {operation['at']}, after {deadline}"
        for document in documents["orders"]:
            begun = [e["at"] for e in document["history"] if e["to"] == "COMPLETED"]
            # A bank may take days, so a capture through a gateway puts the deadline off.
            until = max(deadline, document.get("deadline", deadline)) if documents["payments"] else deadline
            if document["_id"] == order and any(at >= until for at in begun):
                yield f"{order} was delivered at {begun}, after {deadline}"


def changed(before: Documents, after: Documents) -> Iterator[str]:
    """What a person would find different: stock, balances, states, deliveries."""
    for collection, field_name in (
        ("products", "available"),
        ("users", "balance"),
        ("orders", "state"),
        ("orders", "deliveries"),
    ):
        then = {document["_id"]: document.get(field_name) for document in before[collection]}
        now = {document["_id"]: document.get(field_name) for document in after[collection]}
        if then != now:
            yield f"{collection}' {field_name} was {then}, is {now}"


def money(after: FinalState) -> Iterator[str]:
    user = after.one("users", USER)
    charged = sum(o["amount"] for o in user["operations"].values() if o["state"] == "charged")
    if user["balance"] + charged != after.scenario.balance:
        yield f"balance {user['balance']} + charged {charged} is not {after.scenario.balance}"
    if user["balance"] < 0:
        yield f"balance {user['balance']}"


def stock(after: FinalState) -> Iterator[str]:
    for name, before in after.scenario.stock.items():
        product = after.one("products", name)
        # A committed hold is counted as sold, where the product keeps that count.
        kept = ("held",) if "sold" in product else ("held", "committed")
        held = sum(h["quantity"] for h in product["holds"].values() if h["state"] in kept)
        if product["available"] + held + product.get("sold", 0) != before or product["available"] < 0:
            yield f"{name}: {product['available']} available + {held} held is not {before}"


def terminal(after: FinalState) -> Iterator[str]:
    for order in after.orders():
        if order["state"] not in TERMINAL:
            yield f"{order['_id']} is {order['state']}"
    completed = sum(order["state"] == "COMPLETED" for order in after.orders())
    if completed > after.scenario.completes:
        yield f"{completed} orders completed"


def captured(after: FinalState, order_id: str) -> int:
    """Sum up what was taken for an order and not given back, wherever the money is."""
    operation = after.one("users", USER)["operations"].get(order_id, {})
    credit = operation["amount"] if operation.get("state") == "charged" else 0
    intents = {
        intent["id"]: intent["amount_received"]
        for intent in after.documents["payment_intents"]
        if intent["metadata"]["order_id"] == order_id
    }
    taken_back = (*after.documents["refunds"], *after.documents["disputes"])
    returned = sum(r["amount"] for r in taken_back if r["payment_intent"] in intents)
    return int(credit + sum(intents.values()) - returned)


def captures(after: FinalState) -> Iterator[str]:
    """Exactly one capture of the total for a completed order, none for any other."""
    for order in after.orders():
        taken = captured(after, order["_id"])
        if taken != (order["total"] if order["state"] == "COMPLETED" else 0):
            yield f"{order['_id']} is {order['state']} with {taken} captured"


def payments(after: FinalState) -> Iterator[str]:
    """One PaymentIntent an attempt, none that may still take money, and a record that says what happened.

    A request that lands when the gateway has forgotten its key makes another, which nobody confirms.
    """
    intents = after.documents["payment_intents"]
    attempts = [
        (i["metadata"]["order_id"], i["metadata"]["attempt"]) for i in intents if not _idle(i, intents)
    ]
    if len(set(attempts)) < len(attempts):
        yield f"PaymentIntents for {attempts}"
    for record in after.documents["payments"]:
        known = [i for i in intents if i["id"] == record.get("payment_intent")]
        if any(i["status"] not in ("succeeded", "canceled") for i in known):
            yield f"{record['_id']} is {record['state']}, its PaymentIntent {known[0]['status']}"
        completed = after.one("orders", record["order_id"])["state"] == "COMPLETED"
        if record["state"] not in (("captured",) if completed else ("declined", "refunded", "void")):
            yield f"{record['_id']} is {record['state']}, its order {'completed' if completed else 'not'}"
        if [e["to"] for e in record["history"]][-1] != record["state"]:
            yield f"{record['_id']} is {record['state']}, its history {record['history']}"


def _idle(intent: dict[str, Any], intents: Sequence[dict[str, Any]]) -> bool:
    """Whether it was made by a request that is older than the life of its key, and was left alone since."""
    first = min(i["created"] for i in intents if i["metadata"] == intent["metadata"])
    late = intent["created"] >= first + KEY_LIFE.total_seconds()
    return late and intent["status"] == "requires_confirmation" and not intent["amount_received"]


def holds(after: FinalState) -> Iterator[str]:
    for order in after.orders():
        for line in order["lines"]:
            hold = after.one("products", line["product_id"])["holds"].get(order["_id"], {})
            held = hold["quantity"] if hold.get("state") in ("held", "committed") else 0
            if held != (line["quantity"] if order["state"] == "COMPLETED" else 0):
                yield f"{order['_id']} is {order['state']} with {held} of {line['product_id']} held"


def deliveries(after: FinalState) -> Iterator[str]:
    for order in after.orders():
        arranged = [[d[field] for field in _DELIVERED] for d in order.get("deliveries", ())]
        lines = [[line[field] for field in _DELIVERED] for line in order["lines"]]
        if arranged != (lines if order["state"] == "COMPLETED" else []):
            yield f"{order['_id']} is {order['state']} with deliveries {arranged}"


def history(after: FinalState) -> Iterator[str]:
    """Complete, in order, and only changes that the diagram has."""
    for order in after.orders():
        entries = order["history"]
        changes = [(entry["from"], entry["to"]) for entry in entries]
        if illegal := [change for change in changes if change not in LEGAL]:
            yield f"{order['_id']} changed {illegal}"
        if [change[0] for change in changes] != [None, *(change[1] for change in changes[:-1])]:
            yield f"{order['_id']} has a gap in {changes}"
        if changes[-1][1] != order["state"]:
            yield f"{order['_id']} is {order['state']}, its history ends {changes[-1][1]}"
        times = [entry["at"] for entry in entries]
        if times != sorted(times):
            yield f"{order['_id']} has a history out of order"
        if any(entry["execution"] is None for entry in entries[1:]):
            yield f"{order['_id']} has a change by nobody"


def failures(after: FinalState) -> Iterator[str]:
    """Where an execution failed and the order did not complete, the database says why."""
    completed = {order["_id"] for order in after.orders() if order["state"] == "COMPLETED"}
    for order_id in {run.order_id for run in after.runs} - completed:
        said = {run.outcome.error for run in after.runs if run.order_id == order_id}
        recorded = {f["error"] for f in after.documents["failures"] if f["order_id"] == order_id}
        if not said & recorded:
            yield f"{order_id} failed with {said}, recorded {recorded}"


def undos(after: FinalState) -> Iterator[str]:
    """Whatever could not be undone is on record with its error, each time anew, and the history names it.

    Where a drive of the execution ends in an order that was completed after all, it had nothing to undo.
    """
    for run in after.runs:
        name, attempts = run.execution.name, run.execution.attempts
        if run.outcome.succeeded:
            attempts = [attempt for attempt in attempts if attempt.drive != attempts[-1].drive]
        blocks = groupby(attempts, lambda attempt: (attempt.state, attempt.drive))
        ends = [(state, [a.error for a in attempts][-1]) for (state, _), attempts in blocks]
        failed = Counter(
            end for end in ends if end[0] in (REFUND, RELEASE) and end[1] not in (None, "OrderCompleted")
        )
        recorded = Counter(
            (failure["step"], failure["error"])
            for failure in after.documents["failures"]
            if failure["order_id"] == run.order_id and failure["execution"].endswith(f":{name}")
        )
        if missing := failed - recorded:
            yield f"{name} could not undo {dict(missing)}, and nobody recorded why"
        for order in after.orders():
            for entry in order["history"] if order["_id"] == run.order_id and failed else ():
                by = str(entry["execution"]).endswith(f":{name}")
                if (
                    by
                    and entry["to"] == "NEEDS_ATTENTION"
                    and not entry["reason"].startswith((REFUND, RELEASE))
                ):
                    yield f"{name} parked its order over {entry['reason']}, not over what it could not undo"


def outcomes(after: FinalState) -> Iterator[str]:
    """What an execution says is what happened to its order, and faults that retries hide change nothing.

    Of several executions of an order, those that come too late may find it closed.
    """
    states = {order["_id"]: order["state"] for order in after.orders()}
    completed = {run.order_id for run in after.runs if run.outcome.succeeded}
    for run in after.runs:
        ended = "COMPLETED" if run.outcome.succeeded else "FAILED"
        if run.outcome.error == "OrderNotFound":  # created too late for this execution
            continue
        if ended == "FAILED" and after.scenario.overtaken_by is Overtaking.BOTH and run.order_id in completed:
            continue  # created only after it had failed for a reason of its own, and completed by another
        if states.get(run.order_id, "FAILED") != ended:
            yield f"execution {run.label} {ended}: {run.outcome.error}, order {states[run.order_id]}"
    said = {COMPLETED if run.outcome.succeeded else run.outcome.error for run in after.runs}
    wanted = after.scenario.ends
    allowed = {wanted, "OrderClosed"} if len(after.runs) > 1 else {wanted}
    if after.transparent and wanted and (wanted not in said or said - allowed):
        yield f"ended {said}, not {wanted}"


def stops(after: FinalState) -> Iterator[str]:
    """An execution stops for a person only where it undoes, says so, and never over a fault that passes."""
    for run in after.runs:
        for stop in run.stops:
            named = stop.error in ("NeedsAttention", *RETRIED_ERRORS, *PENDING_ERRORS)
            hidden = after.transparent and not after.scenario.parks
            if not named or stop.state not in _MAY_STOP or hidden:
                yield f"stopped in {stop.state} with {stop.error}: {stop.cause}"


def compensation(after: FinalState) -> Iterator[str]:
    """One failed undo never skips the others: before the failure is recorded, all were tried."""
    for run in after.runs:
        visited = run.execution.visited
        for state, following in pairwise(visited):
            if state == REFUND and following not in (RELEASE, PLACED, REFUND):
                yield f"{following} came after {REFUND}"


def retries(after: FinalState) -> Iterator[str]:
    """An answer is never asked for again."""
    for run in after.runs:
        for one, following in pairwise(run.execution.attempts):
            if one.error in _NEVER_RETRIED and (one.state, one.drive) == (following.state, following.drive):
                yield f"{one.state} was retried after {one.error}"


CHECKS = (
    money,
    stock,
    terminal,
    captures,
    payments,
    holds,
    deliveries,
    history,
    failures,
    undos,
    outcomes,
    stops,
    compensation,
    retries,
)
