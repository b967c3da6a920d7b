"""Reconciliation on a schedule: compares every product and every user with the ledger, a part at a time.

Settlement already disputes an order whose records do not fit, and `payments reconcile` compares everything,
Stripe's list included. This is what lies between: every ten minutes it asks the data API for some pages of
what auditors read, goes on where the run before stopped, and says in one metric how many accounts do not add
up. A shop with few accounts is read as a whole each time. It only reads; what it looks for is the same as in
`pipelines/orders/reconciliation/reconcile.py`, to which a test holds it.
"""

from __future__ import annotations

from templates.definitions.tasks import FORWARD_RETRY, State, call_sdk, choice, invoke, jsonata, put_point

METRIC = "AccountsAstray"
FUNCTION, SERVICE, SPACE = "DataApiVersion", "Service", "Namespace"
"""Substitutions: the data API's version, and of the metric."""
BEFORE = "Look for the run before"
ANY = "Was there one?"
STOPPED = "Look where it stopped"
READ = "Read a page"
MORE = "Is there more?"
WAIT = "Wait a moment"
TELL = "Tell how many do not add up"
UNREAD = "The data API does not answer"

PAGES = 40
"""In one run: two thousand accounts, a quarter of a million a day."""
_TRIES = 8
KINDS = {"products": 50, "users": 50, "ledger": 500}
"""What is read, one after the other, and how many in a page."""


def definition() -> State:
    """Return the definition; the input is not read."""
    complete = f"$kind >= {len(KINDS)}"
    astray = f"{complete} ? $found : $max([$found, $before])"
    return {
        "Comment": "Compares accounts with the ledger, a part at a time",
        "QueryLanguage": "JSONata",
        "StartAt": BEFORE,
        "States": {
            BEFORE: _look_for_run_before(),
            ANY: choice({"$run_before != ''": STOPPED}, READ),
            STOPPED: _look_where_it_stopped(),
            READ: _read(),
            MORE: choice(
                {
                    f"$failed >= {_TRIES}": UNREAD,
                    "$failed > 0": WAIT,
                    f"{complete} or $pages >= {PAGES}": TELL,
                },
                READ,
            ),
            WAIT: {"Type": "Wait", "Seconds": 1, "Next": READ},
            TELL: put_point(
                METRIC,
                astray,
                namespace=SPACE,
                service=SERVICE,
                Output={
                    "kind": jsonata(f"{complete} ? 0 : $kind"),
                    "after": jsonata(f"{complete} ? '' : $after"),
                    "found": jsonata(f"{complete} ? 0 : $found"),
                    "before": jsonata(f"{complete} ? $found : $before"),
                    "astray": jsonata("$astray"),
                },
                End=True,
            ),
            UNREAD: {
                "Type": "Fail",
                "Error": "ReconciliationStopped",
                "Cause": "the data API does not answer; the next run begins where this one did",
            },
        },
    }


def _look_for_run_before() -> State:
    runs = "$states.result.Executions"
    return call_sdk(
        "sfn:listExecutions",
        {
            "StateMachineArn": jsonata("$states.context.StateMachine.Id"),
            "StatusFilter": "SUCCEEDED",
            "MaxResults": 1,
        },
        Assign={
            "run_before": jsonata(f"$count({runs}) > 0 ? {runs}[0].ExecutionArn : ''"),
            **dict.fromkeys(("kind", "found", "before", "pages", "failed"), 0),
            "after": "",
            "share": 1,
            "astray": [],
        },
        Next=ANY,
    )


def _look_where_it_stopped() -> State:
    output = "$parse($states.result.Output)"
    return call_sdk(
        "sfn:describeExecution",
        {"ExecutionArn": jsonata("$run_before")},
        Assign={name: jsonata(f"{output}.{name}") for name in ("kind", "after", "found", "before")},
        Next=READ,
    )


def _read() -> State:
    """Return the state that reads a page, and counts what does not add up in it."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    limits = ", ".join(map(str, KINDS.values()))
    limit = f"$string($max([1, $floor([{limits}][$kind] / $share)]))"
    event = {
        "resource": "/{proxy+}",
        "path": jsonata(f"'/audit/' & [{kinds}][$kind]"),
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": jsonata(
            f"$merge([{{'limit': {limit}}}, $after = '' ? {{}} : {{'after': $after}}])"
        ),
        "isBase64Encoded": False,
    }
    ok = "$states.result.Payload.statusCode = 200"
    page = "$parse($states.result.Payload.body)"
    names = f"({ok} ? ($kind < 2 ? ({_ACCOUNTS.format(page=page)}) : ({_OWNERS.format(page=page)})) : [])"
    last = f"$not($exists({page}.next))"
    return invoke(
        FUNCTION,
        event,
        Retry=[FORWARD_RETRY],
        Assign={
            "pages": jsonata("$pages + 1"),
            "failed": jsonata(f"{ok} ? 0 : $failed + 1"),
            "share": jsonata(f"{ok} ? $share : $share * 4"),
            "found": jsonata(f"$found + $count({names})"),
            "astray": jsonata(f"[$append($astray, {names})[[0..9]]]"),
            "after": jsonata(f"{ok} ? ({last} ? '' : {page}.next) : $after"),
            "kind": jsonata(f"{ok} and {last} ? $kind + 1 : $kind"),
        },
        Output={},
        Next=MORE,
    )


_DIFFERS = (
    "$count(strays) > 0 or books = 'synthetic' or $not(as_opened) or $not($exists(opening))"
    " or free + taken + gone != opening or (books = 'entered' and (ledger.free != free + pending"
    " or ledger.taken != taken - pending or ledger.gone != gone or ledger.opening != -opening))"
)
_ACCOUNTS = f"{{page}}.accounts[{_DIFFERS}].(['product:', 'user:'][$kind] & id)"
_OWNERS = "{page}.owners[$not(known)].owner"
