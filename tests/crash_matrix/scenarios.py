"""The orders that cells place: each is a row of the matrix."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from payment_data.payment_methods.names import NAMES, STRIPE
from templates.definitions.payment_workflow import CHARGE, DELIVER, REFUND, RELEASE, RESERVE
from tests.crash_matrix.faults import Kind
from tests.crash_matrix.scenario import ORDER, RIVAL, Overtaking, Scenario
from tests.crash_matrix.stripe_double import BAD, DISPUTED, GOOD, LATE

_TWICE = {"A": ORDER, "B": ORDER}
_RIVALS = {"A": ORDER, "B": RIVAL}
_ONE_LEFT = {"product-1": 5, "product-2": 1}
_FIRST_REFUSED = frozenset({ORDER})


def _of_balance(method: str) -> Iterator[Scenario]:
    """What may become of an order that is charged to the user's balance."""
    order = partial(Scenario, method=method)
    happy = order(f"{method}: happy")
    yield happy
    yield order(f"{method}: out of stock", "OutOfStock", stock={"product-1": 5, "product-2": 0})
    yield order(f"{method}: declined", "PaymentDeclined", balance=1_249)
    yield order(f"{method}: delivery refused", "DeliveryRejected", refused=_FIRST_REFUSED)
    yield order(f"{method}: no such order", "OrderNotFound", overtaken_by=Overtaking.CREATION)
    yield order(f"{method}: no such order yet", "OrderNotFound", overtaken_by=Overtaking.BOTH)
    yield _swept(order(f"{method}: swept on its way"))
    yield from _in_an_odd_world(happy)
    yield _swept(order(f"{method}: swept on its way back", "DeliveryRejected", refused=_FIRST_REFUSED))
    yield order(f"{method}: started twice at once", executions=_TWICE, faults_in="A")
    items = order(f"{method}: two orders want the last item", None, _RIVALS, _ONE_LEFT, faults_in="A")
    money = order(f"{method}: two orders want the last money", None, _RIVALS, balance=2_000, faults_in="A")
    yield items
    yield money
    back = replace(items, refused=_FIRST_REFUSED, faults_in="B")
    yield replace(back, name=f"{method}: the last item comes back")
    back = replace(money, refused=_FIRST_REFUSED, faults_in="B")
    yield replace(back, name=f"{method}: the last money comes back")


def _swept(scenario: Scenario) -> Scenario:
    """At each site, the sweeper undoes the order first: then what was on its way lands, or is redriven."""
    return replace(scenario, overtaken_by=Overtaking.SWEEP, begins_with=Kind.OVERTAKEN)


def _in_an_odd_world(happy: Scenario) -> Iterator[Scenario]:
    """At each site, something else than a fault happens first."""
    method = happy.method
    odd = replace(happy, ends=None, begins_with=Kind.OVERTAKEN)
    yield from _stopped(odd)
    for other in NAMES:
        if other != method:
            yield replace(
                odd,
                name=f"{method}: {other} is configured",
                overtaken_by=Overtaking.CONFIGURATION,
                configured=other,
            )
    yield replace(odd, name=f"{method}: restored afterwards", overtaken_by=Overtaking.RESTORE)


def _stopped(odd: Scenario) -> Iterator[Scenario]:
    """Another execution of the order is stopped, wherever it was: the split of the steps is any."""
    stopped = replace(odd, overtaken_by=Overtaking.STOPPED)
    yield replace(stopped, name=f"{odd.method}: another execution was stopped")
    yield replace(
        stopped, name=f"{odd.method}: another execution was stopped before it paid", stops_after=RESERVE
    )
    refused = replace(stopped, refused=_FIRST_REFUSED)
    for step, after in ((REFUND, "it refunded"), (RELEASE, "it released")):
        yield replace(
            refused, name=f"{odd.method}: another execution was stopped after {after}", stops_after=step
        )


def _through_a_gateway(method: str) -> Iterator[Scenario]:
    """What differs from credit: the charge, its refund, and what they leave to the steps after them."""
    happy = Scenario(f"{method}: happy", method=method, pays_with=GOOD[method], states=(CHARGE,))
    yield replace(happy, states=(CHARGE, DELIVER)) if method == "card" else happy
    yield replace(happy, name=f"{method}: declined", ends="PaymentDeclined", pays_with=BAD[method])
    yield replace(happy, name=f"{method}: started twice at once", executions=_TWICE, faults_in="A")
    yield _swept(replace(happy, name=f"{method}: swept on its way", states=()))
    yield from _in_an_odd_world(replace(happy, states=()))
    if method == "bank_account":
        late = replace(happy, ends="PaymentPending", pays_with=LATE, parks=True, states=(CHARGE, REFUND))
        yield replace(late, name="bank_account: the bank answers after everybody has stopped asking")
    if method == "card":  # once it is captured, a bank's money is a card's
        yield replace(
            happy,
            name="card: delivery refused",
            ends="DeliveryRejected",
            refused=_FIRST_REFUSED,
            states=(REFUND,),
        )
        yield replace(
            happy,
            name="card: delivery refused, and the bank took the money back",
            ends="DeliveryRejected",
            pays_with=DISPUTED,
            refused=_FIRST_REFUSED,
            states=(REFUND,),
        )


SCENARIOS = {
    scenario.name: scenario
    for method in NAMES
    for scenario in (_through_a_gateway(method) if method in STRIPE else _of_balance(method))
}
