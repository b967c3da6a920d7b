"""Every alarm rings when it should, in time, and only then: also when points are late, and some are lost."""

from __future__ import annotations

import functools
import random
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import pytest

from environments.schema import load
from pipelines.deploy import synth
from tests.templates.cloudwatch import Delivery, breaches_at, metric_names, ringing, unreliable
from tests.templates.reading import properties

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Series = dict[str, "Callable[[int], float | None]"]

BEGINS, ENDS, MINUTES = 20, 50, 90
MONTH: Final = 30 * 24 * 60


def constant(value: float) -> Callable[[int], float | None]:
    return lambda minute: value


def during(value: float, quiet: float | None = 0, every: int = 1) -> Callable[[int], float | None]:
    """A value while the fault lasts, every so many minutes, and a quiet one otherwise."""
    return lambda minute: value if BEGINS <= minute < ENDS and (minute - BEGINS) % every == 0 else quiet


def once(value: float) -> Callable[[int], float | None]:
    """A value in one minute; no points otherwise, as where nothing is counted."""
    return lambda minute: value if minute == BEGINS else None


HEALTHY: Final[Series] = {
    "TechnicalFailures": constant(0),
    "5XXError": constant(0),
    "Latency": constant(300),
    "Errors": constant(0),
    "Throttles": constant(0),
    "ExecutionsFailed": constant(0),
}
RINGS: Final[list[tuple[str, Series, dict[str, int]]]] = [
    ("every order fails by a fault", {"TechnicalFailures": during(1)}, {"OrdersFailing": 4}),
    ("a canary of a tenth fails every order", {"TechnicalFailures": during(0.1)}, {"OrdersFailing": 4}),
    ("undo fails all the time", {"Errors": during(150)}, {"UndoFailing": 4, "DataApiCrashing": 3}),
    ("the data API answers 500", {"5XXError": during(40)}, {"DataApiErrors": 4}),
    ("the data API is slow", {"Latency": during(2500, 300)}, {"DataApiSlow": 6}),
    ("functions are throttled", {"Throttles": during(3)}, {"FunctionsThrottled": 4}),
    ("executions wait for the quota", {"ExecutionThrottled": during(9, None)}, {"OrdersThrottled": 4}),
    ("sweeps fail", {"ExecutionsFailed": during(1)}, {"SweepFailing": 2, "SettlementFailing": 5}),
    ("a sweep in five minutes fails", {"ExecutionsFailed": during(1, every=5)}, {"SweepFailing": 2}),
    (
        "executions are stopped",
        {"ExecutionsAborted": during(1, every=3)},
        {"OrdersCutOff": 2, "SweepFailing": 2},
    ),
    ("orders are swept", {"OrdersFailed": during(1, None, every=3)}, {"OrdersAbandoned": 2}),
    ("orders are parked", {"OrdersParked": during(1, None, every=3)}, {"OrdersParked": 2}),
    ("an order stays parked", {"ParkedOrders": during(1)}, {"OrdersParked": 2}),
    ("a step breaks the contract", {"ContractErrors": during(1, None, every=3)}, {"ContractBroken": 2}),
]
"""What happens from a minute on, and which alarms ring how many minutes later, when points are late."""
LOST: Final = 8
"""Minutes more that an alarm may take when one point in five is lost."""
ALSO: Final = {"SettlementFailing"}
"""What may ring beside: executions that are cut off are the settlement's too, where a series has one name."""
ONCE: Final = {
    "ExecutionsAborted": {"OrdersCutOff", "SweepFailing"},
    "OrdersParked": {"OrdersParked"},
    "OrdersFailed": {"OrdersAbandoned"},
    "ContractErrors": {"ContractBroken"},
}
"""What one point alone must ring, by its metric."""
NEVER: Final[list[tuple[str, Series]]] = [
    ("a sold-out flash sale", {"TechnicalFailures": constant(0), "OrdersFailedByStock": during(500)}),
    ("single faults among many orders", {"TechnicalFailures": during(0.01)}),
    ("two bad minutes of the data API", {"5XXError": lambda minute: 40 if minute in (20, 21) else 0}),
    ("five refused undos", {"Errors": lambda minute: 6 if minute == 20 else 0}),
    ("a slow minute", {"Latency": lambda minute: 9000 if minute == 20 else 300}),
    ("a sparse night", {"TechnicalFailures": lambda minute: 0 if minute % 12 == 0 else None}),
    ("no traffic at all", dict.fromkeys(HEALTHY, lambda minute: None)),
]


@pytest.fixture(scope="module")
def alarms() -> dict[str, Json]:
    """Those of production; every environment has the same, and a branch those of them that judge it."""
    payments = synth.build(load("prod"))["payments"].to_dict()
    return {
        name.removesuffix("Alarm"): alarm
        for name, alarm in properties(payments, "AWS::CloudWatch::Alarm").items()
    }


def deliveries() -> list[Delivery]:
    names = sorted(
        {*HEALTHY, "OrdersFailed", "OrdersParked", "ParkedOrders", "ContractErrors", "ExecutionThrottled"}
    )
    draw = random.Random(1)  # noqa: S311 - the same points are lost tomorrow
    return [Delivery(), Delivery(late=2), *(unreliable(draw, names, MINUTES) for _ in range(5))]


@pytest.mark.parametrize(("series", "expected"), [pytest.param(s, e, id=name) for name, s, e in RINGS])
def test_a_fault_rings_its_alarm_in_time_and_no_other(
    alarms: dict[str, Json], series: Series, expected: dict[str, int]
) -> None:
    for delivery in deliveries():
        for name, alarm in alarms.items():
            rings = ringing(alarm, HEALTHY | series, MINUTES, delivery)
            if name in expected:
                assert rings, name
                patience = expected[name] + (LOST if delivery.lost else 0)
                assert BEGINS <= rings[0] <= BEGINS + patience, name
                # And it is quiet again when the fault is over, and stays so
                assert rings[-1] < ENDS + alarm["EvaluationPeriods"] + delivery.late, name
            elif name not in ALSO:
                assert rings == [], name


@pytest.mark.parametrize(("metric", "expected"), ONCE.items(), ids=ONCE)
def test_one_point_is_enough_where_one_order_is_too_many(
    alarms: dict[str, Json], metric: str, expected: set[str]
) -> None:
    for late in (0, 1, 2):
        for name in expected:
            rings = ringing(alarms[name], HEALTHY | {metric: once(1)}, MINUTES, Delivery(late))
            assert rings, (name, late)
            assert rings[0] == BEGINS + late


def test_a_parked_order_rings_until_it_is_parked_no_more(alarms: dict[str, Json]) -> None:
    # Given a minute in which an order is parked, which each settlement counts until it is mended
    series = {"OrdersParked": once(1), "ParkedOrders": during(1)}
    for delivery in (Delivery(late=2), Delivery(2, {"ParkedOrders": frozenset({BEGINS + 10})})):
        rings = ringing(alarms["OrdersParked"], series, MINUTES, delivery)
        # Then it rings without a pause, also where a point is lost, and is quiet some minutes after
        last = ENDS - 1
        assert rings == list(range(BEGINS + 2, last + alarms["OrdersParked"]["EvaluationPeriods"]))


@pytest.mark.parametrize("series", [pytest.param(s, id=name) for name, s in NEVER])
def test_what_is_no_fault_rings_nothing(alarms: dict[str, Json], series: Series) -> None:
    for delivery in deliveries():
        for name, alarm in alarms.items():
            assert ringing(alarm, HEALTHY | series, MINUTES, delivery) == [], name


def test_a_healthy_month_rings_nothing(alarms: dict[str, Json]) -> None:
    """Every point that comes, and at once, is the worst case: late and lost ones only make fewer breaches."""
    draw = random.Random(1)  # noqa: S311 - the same month tomorrow
    month = [_healthy_minute(draw, minute) for minute in range(MONTH)]
    names = {name for points in month for name in points}
    series: Series = {name: functools.partial(_of_month, month, name) for name in names}
    for name, alarm in alarms.items():
        recent: deque[bool] = deque(maxlen=alarm["EvaluationPeriods"])
        if not set(metric_names(alarm)) & set(series):
            continue
        for minute in range(MONTH):
            recent.append(breaches_at(alarm, series, minute, Delivery(), minute))
            assert sum(recent) < alarm["DatapointsToAlarm"], (name, minute)


def _of_month(month: list[dict[str, float]], name: str, minute: int) -> float | None:
    return month[minute].get(name)


def _healthy_minute(draw: random.Random, minute: int) -> dict[str, float]:
    """Return a minute's points: five orders an hour at night, hundreds a minute in a sale, few faults."""
    hour = minute // 60 % 24
    orders = 0 if hour < 6 and draw.random() > 5 / 60 else 1 if hour < 6 else draw.choice([5, 20, 60])
    orders *= 10 if minute % (7 * 24 * 60) in range(1000, 1120) else 1
    faults = sum(draw.random() < 0.0001 for _ in range(orders))
    points: dict[str, float] = {
        "5XXError": float(draw.random() < 0.01),
        "Throttles": 0,
        "ExecutionsFailed": 0,
    }
    if orders:
        points |= {"ExecutionsFailed": 0, "TechnicalFailures": faults / orders}
        points |= {"Errors": float(draw.random() < 0.001)}
        points |= {"Latency": 200 + 400 * draw.random()}
    return points


def test_no_alarm_rests_on_the_newest_minutes_alone(alarms: dict[str, Json]) -> None:
    for name, alarm in alarms.items():
        assert alarm["EvaluationPeriods"] >= alarm["DatapointsToAlarm"] + 3, name
