"""One mutant for each protection in the code: what the money path is without it."""

from tests.crash_matrix.faults import Fault, Kind
from tests.crash_matrix.mutations import Edit, Mutant

_PRODUCTS = "data_api.storage.products"
_USERS = "data_api.storage.users"
_ORDERS = "data_api.storage.orders"
_OF_READ = "data_api.storage.state_changes:change_of_read"
_FENCE = '"state": {"$in": sorted(sources)}'
_IN_TIME = ', "$expr": {"$lt": ["$$NOW", until]}'
_IF_HELD = '{"$cond": [{"$eq": [f"${record}.state", "held"]}, f"${record}.quantity", Int64(0)]}'
_IF_CHARGED = '{"$cond": [charged, f"${record}.amount", Int64(0)]}'
_SECOND_BELT = "a second belt: a record stops what comes late, and once records are pruned the deadline does"
LEFT_HOLDS = Edit("data_api.use_cases.record_failure:_fail", "products.void(db, order, lands_by)", "pass")
LEFT_CHARGE = Edit("data_api.use_cases.record_failure:_fail", "users.refund(db, order, lands_by)", "pass")
LEFT_OPEN = Edit("data_api.use_cases.record_failure:_fail", "if late or order.state", "if order.state")
_SAYS_VOID = Edit(f"{_PRODUCTS}:void", "if done < len(updates) and", "if False and")
_REFUND_FAILS = (Fault("Refund payment / invoke", Kind.CRASH_BEFORE, None),)

GUARDS = (
    Mutant(
        "stock guard",
        ("two orders want the last item",),
        (Edit(f"{_PRODUCTS}:hold", '"available": {"$gte": line.quantity},', ""),),
        unvalidated=("products",),
    ),
    Mutant(
        "balance guard",
        ("two orders want the last money",),
        (Edit(f"{_USERS}:charge", '"balance": {"$gte": order.total},', ""),),
        unvalidated=("users",),
    ),
    Mutant(
        "all lines or none",
        ("two orders want the last item",),
        (Edit("data_api.use_cases.reserve_products:_reserve", "== len(wanted)", ">= 0"),),
    ),
    Mutant(
        "hold's deadline",
        ("happy",),
        (Edit(f"{_PRODUCTS}:hold", '"$expr": {"$lt": ["$$NOW", until]},', ""),),
        kinds=("lands after the deadline",),
    ),
    Mutant(
        "charge's deadline",
        ("happy",),
        (Edit(f"{_USERS}:_unrecorded", _IN_TIME, ""),),
        kinds=("lands after the deadline",),
    ),
    Mutant(
        "delivery's deadline",
        ("happy",),
        (Edit(f"{_ORDERS}:complete", ', "$expr": {"$lt": ["$$NOW", "$deadline"]}', ""),),
        kinds=("lands after the deadline",),
    ),
)

RECORDS = (
    Mutant(
        "idempotency record of a hold",
        ("happy",),
        (
            Edit(f"{_PRODUCTS}:hold", 'record: {"$exists": False},', ""),
            Edit(
                "data_api.use_cases.reserve_products:_reserve", "if stock[line.product_id].hold is None]", "]"
            ),
        ),
        sites="products.bulk_write",
    ),
    Mutant(
        "idempotency record of a charge",
        ("happy",),
        (Edit(f"{_USERS}:_unrecorded", 'path: {"$exists": False}, ', ""),),
        sites="users.update_one",
    ),
    Mutant(
        "tombstone of a release",
        ("happy",),
        (Edit(f"{_PRODUCTS}:void", '{"$ne": "void"}', '"held"'), _SAYS_VOID),
        sites="products.bulk_write",
    ),
    Mutant(
        "tombstone of a refund",
        ("happy",),
        (
            Edit(f"{_USERS}:refund", '{"$nin": _UNDONE}', '"charged"'),
            Edit(f"{_USERS}:refund", ".get(order.id)", '.get(order.id, {"state": "void", "amount": 0})'),
        ),
        sites="users.update_one",
    ),
    Mutant(
        "record of a decline, where a failing order bars no charge",
        ("the last money comes back",),
        (
            Edit(
                "data_api.use_cases.charge_credit:_charge",
                "users.decline(db, order, fingerprint, _SHORT, until)",
                "True",
            ),
            LEFT_CHARGE,
        ),
        sites="B / Process order payment / PUT payment #1 / users",
    ),
    Mutant(
        "recorded decision of a reservation",
        ("out of stock",),
        (Edit("data_api.storage.orders:Order.refusal", "self.decision and", "False and"),),
    ),
    Mutant(
        "holds voided after a refusal, or when the order fails",
        ("two orders want the last item",),
        (
            Edit(
                "data_api.use_cases.reserve_products:reserve_products",
                "products.void(db, order, lands_by)",
                "pass",
            ),
            LEFT_HOLDS,
        ),
    ),
)

UNDOING = (
    Mutant(
        "release only what is held",
        ("declined",),
        (
            Edit(f"{_PRODUCTS}:void", ', f"{record}.state": {"$ne": "void"}', ""),
            Edit(f"{_PRODUCTS}:void", _IF_HELD, '{"$ifNull": [f"${record}.quantity", Int64(0)]}'),
        ),
        sites="Release products",
    ),
    Mutant(
        "refund only what is charged",
        ("delivery refused",),
        (
            Edit(f"{_USERS}:refund", 'f"{record}.state": {"$nin": _UNDONE},', ""),
            Edit(f"{_USERS}:refund", _IF_CHARGED, '{"$ifNull": [f"${record}.amount", Int64(0)]}'),
        ),
        sites="Refund payment",
    ),
    Mutant(
        "cancel before a refund",
        ("happy",),
        (
            Edit(
                "data_api.use_cases.undo:undo_payment",
                'cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])',
                '__import__("data_api.storage.orders").storage.orders.get(db, order_id)',
            ),
        ),
        sites="Arrange delivery",
    ),
    Mutant(
        "cancel before a release",
        ("happy",),
        (
            Edit(
                "data_api.use_cases.undo:release_products",
                'cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])',
                '__import__("data_api.storage.orders").storage.orders.get(db, order_id)',
            ),
            LEFT_OPEN,
        ),
    ),
    Mutant(
        "a completed order is not undone",
        ("happy",),
        (
            Edit(
                "data_api.use_cases.undo:cancel_order",
                "if order.state is State.COMPLETED:",
                "if False:",
            ),
        ),
        sites="Arrange delivery",
    ),
    Mutant(
        "charge left over by another execution is returned",
        ("started twice at once", "delivery refused"),
        (LEFT_CHARGE,),
    ),
    Mutant(
        "an order that failed while NEW is closed",
        ("no such order",),
        (
            Edit(
                "data_api.use_cases.record_failure:_fail",
                "if late or order.state in {State.NEW, State.NEEDS_ATTENTION}:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "an order in the way is left to its execution",
        ("no such order yet",),
        (
            Edit(
                "data_api.use_cases.record_failure:_fail",
                "if order.state is not State.CANCELLING:",
                "if False:",
            ),
        ),
    ),
)


def unfenced(which: str) -> Edit:
    """Let changes begin in whatever state, those of which an expression about their `target` is true."""
    return Edit("data_api.storage.state_changes:change", _FENCE, f"**({{}} if {which} else {{{_FENCE}}})")


def _fence(state: str, scenario: str, sites: str, given: tuple[Fault, ...] = ()) -> Mutant:
    """Move to a state from whatever state, whether the order was read before or not."""
    which = f'target == "{state}"'
    edits = (unfenced(which), Edit(_OF_READ, "**fence}", f"**({{}} if {which} else fence)}}"))
    return Mutant(f"compare-and-set to {state}", (scenario,), edits, sites=sites, given=given)


FENCES = (
    _fence("RESERVED", "happy", "Check order products are available"),
    _fence("PAID", "happy", "Process order payment"),
    _fence("COMPLETED", "happy", "Arrange delivery"),
    _fence("CANCELLING", "happy", "Arrange delivery"),
    _fence("FAILED", "declined", "Handle failure / PUT failure #1 / orders"),
    _fence("NEEDS_ATTENTION", "delivery refused", "Handle failure / PUT failure #1 / orders", _REFUND_FAILS),
)

AMOUNTS = (
    Mutant(
        "what is held leaves the stock",
        ("happy",),
        (Edit(f"{_PRODUCTS}:hold", "Int64(-line.quantity)", "Int64(-1)"),),
    ),
    Mutant(
        "what is charged leaves the balance",
        ("happy",),
        (Edit(f"{_USERS}:charge", "Int64(-order.total)", "Int64(-1)"),),
    ),
    Mutant(
        "what is released comes back to the stock",
        ("declined",),
        (Edit(f"{_PRODUCTS}:void", '"available": {"$add": ["$available", held]},', ""),),
    ),
    Mutant(
        "what is refunded comes back to the balance",
        ("delivery refused",),
        (Edit(f"{_USERS}:refund", _IF_CHARGED, "Int64(0)"),),
    ),
)

TRAIL = (
    Mutant(
        "a change says from which state",
        ("happy",),
        (Edit("data_api.storage.state_changes:change", '"from": "$state"', '"from": None'),),
    ),
    Mutant(
        "a change of what was read says from which state",
        ("happy",),
        (Edit(_OF_READ, '"from": source', '"from": None'),),
    ),
    Mutant(
        "a change of what was read says whose it is",
        ("happy",),
        (Edit(_OF_READ, '"execution": execution', '"execution": None'),),
    ),
    Mutant(
        "a change says whose it is",
        ("happy",),
        (Edit("data_api.storage.state_changes:change", '{"$literal": execution}', "None"),),
    ),
    Mutant(
        "a failure is recorded",
        ("declined",),
        (
            Edit(
                "data_api.use_cases.record_failure:record_failure",
                "failures.record(db, order_id, failure)",
                "pass",
            ),
        ),
    ),
)

STATE_CHECKS = (
    Mutant(
        "order's state checked before a reservation",
        ("happy", "started twice at once", "out of stock"),
        (Edit("data_api.use_cases.reserve_products:reserve_products", "order.state is State.NEW", "True"),),
        survives=_SECOND_BELT,
    ),
    Mutant(
        "order's state checked before a charge",
        ("happy", "started twice at once", "declined"),
        (Edit("data_api.use_cases.charge_credit:charge_credit", "order.state is State.RESERVED", "True"),),
        survives=_SECOND_BELT,
    ),
)

CODE = GUARDS + RECORDS + UNDOING + FENCES + AMOUNTS + TRAIL + STATE_CHECKS
