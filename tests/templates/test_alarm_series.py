"""Every alarm rings when it should, in time, and only then: also when points are late, and some are lost."""

from __future__ import annotations

import functools
import itertools
import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from environments.schema import load
from pipelines.deploy import synth
from tests.templates.cloudwatch import (
    Delivery,
    Samples,
    metric_names,
    most_breaches,
    period,
    ringing,
    unreliable,
)
from tests.templates.reading import properties, the

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.templates.cloudwatch import Series, Value

Json = dict[str, Any]

BEGINS, ENDS, MINUTES = 20, 60, 150
MONTH: Final = 30 * 24 * 60


def constant(value: Value) -> Callable[[int], Value]:
    return lambda minute: value


def during(value: Value, quiet: Value = 0, every: int = 1) -> Callable[[int], Value]:
    """A value while the fault lasts, every so many minutes, and a quiet one otherwise."""
    return lambda minute: value if BEGINS <= minute < ENDS and (minute - BEGINS) % every == 0 else quiet


def once(value: float) -> Callable[[int], Value]:
    """A value in one minute; no points otherwise, as where nothing is counted."""
    return lambda minute: value if minute == BEGINS else None


def each(minutes: int, value: Value) -> Callable[[int], Value]:
    """A value every so many minutes."""
    return lambda minute: value if minute % minutes == 0 else None


def orders(faults: float, ended: float, *, newest: float = 1.0, its_faults: float | None = None) -> Series:
    """Orders of a minute while a fault lasts, and as many good ones otherwise.

    Args:
        faults: How many fail by a fault.
        ended: How many end.
        newest: The share of them that runs the newest release.
        its_faults: How many of those fail; its share if None.
    """
    here = faults * newest if its_faults is None else its_faults
    return {
        "TechnicalFailures": during(Samples(faults, ended), Samples(0, ended)),
        "ReleaseFailures": during(Samples(here, ended * newest), Samples(0, ended * newest)),
        "OrdersEndedInTime": during(Samples(ended - faults, ended), Samples(ended, ended)),
    }


ENDINGS: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
HEALTHY: Final[Series] = {
    **orders(0, 20),
    "5XXError": constant(0),
    "Latency": constant(300),
    "Errors": constant(0),
    "Throttles": constant(0),
    "ExecutionThrottled": constant(0),
    "OrdersFailed": constant(0),
    "ExecutionsFailed@Settlement": constant(0),
    "ExecutionsFailed@Sweeper": each(5, 0),
    "ExecutionsFailed@SmokeWorkflow": each(5, 0),
    "SchedulesSilent": constant(0),
}
SPARSE: Final[Series] = {
    "TechnicalFailures": each(12, Samples(0, 1)),
    "ReleaseFailures": each(12, Samples(0, 1)),
    "OrdersEndedInTime": each(12, Samples(1, 1)),
}
"""Five orders an hour."""
CANARY: Final = orders(2, 20, newest=0.1, its_faults=2)
"""A tenth of twenty orders a minute runs the newest release, and each of those fails by a fault."""
RINGS: Final[list[tuple[str, Series, dict[str, int]]]] = [
    (
        "every order fails by a fault",
        orders(20, 20),
        {"OrdersFailing": 4, "ObjectiveBurningFast": 13},
    ),
    (
        "every order of a canary fails by a fault",
        CANARY,
        {"ReleaseFailing": 4, "OrdersFailing": 4, "ObjectiveBurningFast": 13},
    ),
    ("a young release fails each probe", {"ReleaseWorse": during(1)}, {"ReleaseWorse": 3}),
    (
        "a tenth of the orders is late",
        {"OrdersEndedInTime": during(Samples(18, 20), Samples(20, 20))},
        {"ObjectiveBurningFast": 13},
    ),
    (
        "one order in a hundred is late, for hours",
        {"OrdersEndedInTime": lambda minute: Samples(99 if minute >= BEGINS else 100, 100)},
        {"ObjectiveBurningSlowly": 60},
    ),
    (
        "no order ends",
        {"TechnicalFailures": lambda minute: None if minute >= BEGINS else 0},
        {"OrdersMissing": 90},
    ),
    ("undo fails all the time", {"Errors@RefundPaymentFunction": during(150)}, {"UndoFailing": 4}),
    ("the data API crashes", {"Errors@DataApiFunction": during(150)}, {"DataApiCrashing": 4}),
    ("the data API's program is wrong", {"DataApiUnexpected": during(3, None)}, {"DataApiCrashing": 4}),
    ("the data API answers 500", {"5XXError": during(40)}, {"DataApiErrors": 4}),
    ("the data API is slow", {"Latency": during(2500, 300)}, {"DataApiSlow": 6}),
    ("functions are throttled", {"Throttles": during(3)}, {"FunctionsThrottled": 4}),
    ("executions wait for the quota", {"ExecutionThrottled": during(9, None)}, {"OrdersThrottled": 4}),
    ("settlements fail", {"ExecutionsFailed@Settlement": during(1)}, {"SettlementFailing": 5}),
    (
        "an account does not add up",
        {"AccountsAstray": during(1, None, every=10)},
        {"ReconciliationFailing": 2},
    ),
    (
        "accounts cannot be compared",
        {"ExecutionsFailed@Reconciliation": during(1, None, every=10)},
        {"ReconciliationFailing": 2},
    ),
    ("sweeps fail", {"ExecutionsFailed@Sweeper": during(1, None, every=5)}, {"SweepFailing": 2}),
    ("smoke tests fail", {"ExecutionsFailed@SmokeWorkflow": during(1, None, every=5)}, {"SmokeFailing": 2}),
    (
        "executions are stopped",
        {"ExecutionsAborted@PaymentWorkflow": during(1, every=3)},
        {"OrdersCutOff": 2},
    ),
    ("orders are swept", {"OrdersFailed": during(1, None, every=3)}, {"OrdersAbandoned": 2}),
    ("orders are parked", {"OrdersParked": during(1, None, every=3)}, {"OrdersParked": 2}),
    ("an order stays parked", {"ParkedOrders": during(1)}, {"OrdersParked": 2}),
    ("a step breaks the contract", {"ContractErrors": during(1, None, every=3)}, {"ContractBroken": 2}),
    ("a step crashes", {"Crashes": during(1, None, every=3)}, {"ContractBroken": 2}),
    ("a schedule is disabled", {"SchedulesSilent": during(1)}, {"ScheduleSilent": 2}),
    ("nobody checks schedules", {"SchedulesSilent": during(None)}, {"ScheduleCheckSilent": 12}),
    ("events are not delivered", {"FailedInvocations": during(1, None, every=5)}, {"EventsUndelivered": 2}),
    (
        "an undelivered event waits for somebody",
        {"ApproximateNumberOfMessagesVisible": during(1)},
        {"EventsUndelivered": 2},
    ),
]
"""What happens from a minute on, and which alarms ring how many minutes later, when points are late."""
LOST: Final = 8
"""Minutes more that an alarm may take when one point in five is lost; of those that come seldom, one more."""
SELDOM: Final = {
    "SmokeFailing": 10,
    "SweepFailing": 10,
    "EventsUndelivered": 10,
    "ReconciliationFailing": 20,
}
ONCE: Final = {
    "ExecutionsAborted@PaymentWorkflow": {"OrdersCutOff"},
    "OrdersParked": {"OrdersParked"},
    "OrdersFailed": {"OrdersAbandoned"},
    "ContractErrors": {"ContractBroken"},
    "Crashes": {"ContractBroken"},
}
"""What one point alone must ring, by its metric."""
NEVER: Final[list[tuple[str, Series]]] = [
    ("a sold-out flash sale", {**orders(0, 500), "OrdersFailedByStock": during(500)}),
    ("single faults among many orders", orders(0.01, 20)),
    ("two bad minutes of the data API", {"5XXError": lambda minute: 40 if minute in {20, 21} else 0}),
    ("five refused undos", {"Errors@RefundPaymentFunction": lambda minute: 6 if minute == 20 else 0}),
    ("a slow minute", {"Latency": lambda minute: 9000 if minute == 20 else 300}),
    ("a sparse night", SPARSE),
    ("one probe of a young release", {"ReleaseWorse": lambda minute: float(minute == BEGINS)}),
    ("no customer ever", dict.fromkeys(orders(0, 1))),
]
WATCHING: Final = {"SchedulesSilent", "TechnicalFailures"}
"""Metrics whose silence is a symptom itself."""


@functools.cache
def production() -> Json:
    """The payments stack of production, where an order is expected every hour and a half."""
    environment = load("prod")
    told = environment.alarms.model_copy(update={"orders_expected_within_minutes": 90})
    return synth.build(environment.model_copy(update={"alarms": told}))["payments"].to_dict()


@pytest.fixture(scope="module")
def alarms() -> dict[str, Json]:
    """Those of production; every environment has the same, and a branch those of them that judge it."""
    return {
        name.removesuffix("Alarm"): alarm
        for name, alarm in properties(production(), "AWS::CloudWatch::Alarm").items()
    }


@pytest.fixture(scope="module")
def judging() -> set[str]:
    """Those that stop a canary and a bake."""
    alias = the(production(), "AWS::StepFunctions::StateMachineAlias")
    return {alarm["Ref"].removesuffix("Alarm") for alarm in alias["DeploymentPreference"]["Alarms"]}


@functools.cache
def deliveries() -> list[Delivery]:
    names = sorted({name.partition("@")[0] for _, series, _ in RINGS for name in {**HEALTHY, **series}})
    lossy = [unreliable(seed, names, MINUTES) for seed in range(5)]
    return [Delivery(), Delivery(late=2), Delivery(late=2, fills=False), *lossy]


def test_every_alarm_has_a_fault_that_rings_it(alarms: dict[str, Json]) -> None:
    """A new alarm needs a row: what happens, and in how many minutes it rings."""
    assert {name for _, _, expected in RINGS for name in expected} == set(alarms)


@pytest.mark.parametrize(("series", "expected"), [pytest.param(s, e, id=name) for name, s, e in RINGS])
def test_a_fault_rings_its_alarm_in_time_and_no_other(
    alarms: dict[str, Json], series: Series, expected: dict[str, int]
) -> None:
    for delivery in deliveries():
        for name, alarm in alarms.items():
            rings = ringing(alarm, {**HEALTHY, **series}, MINUTES, delivery)
            if name in expected:
                assert rings, name
                patience = expected[name] + ((LOST + SELDOM.get(name, 0)) if delivery.lost else 0)
                assert BEGINS <= rings[0] <= BEGINS + patience, (name, rings[0])
                # And it is quiet again when the fault is over, and stays so
                over = ENDS + alarm["EvaluationPeriods"] * period(alarm) + delivery.late
                assert rings[-1] < over or over > MINUTES or name == "OrdersMissing", name
            else:
                assert rings == [], name


@pytest.mark.parametrize(("metric", "expected"), ONCE.items(), ids=ONCE)
def test_one_point_is_enough_where_one_order_is_too_many(
    alarms: dict[str, Json], metric: str, expected: set[str]
) -> None:
    for late in (0, 1, 2):
        for name in expected:
            rings = ringing(alarms[name], {**HEALTHY, metric: once(1)}, MINUTES, Delivery(late))
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
            assert ringing(alarm, {**HEALTHY, **series}, MINUTES, delivery) == [], name


def test_a_new_stack_rings_nothing_before_its_first_points(alarms: dict[str, Json]) -> None:
    for name, alarm in alarms.items():
        assert ringing(alarm, {}, MINUTES, Delivery()) == [], name


def test_a_bad_canary_is_taken_back_within_two_of_its_periods(
    alarms: dict[str, Json], judging: set[str]
) -> None:
    # Given production's canary, every order of which fails by a fault, where orders run both releases
    interval = load("prod").deployment.interval_minutes
    assert interval
    for each_minute in (10, 20, 200):
        bad = orders(each_minute * 0.1, each_minute, newest=0.1, its_faults=each_minute * 0.1)
        bad = {**bad, "ReleaseWorse": during(1, None)}
        for delivery in deliveries():
            # Then an alarm that judges a release rings before the second period is over
            first = min(r for n in judging for r in ringing(alarms[n], {**HEALTHY, **bad}, MINUTES, delivery))
            assert first < BEGINS + 2 * interval


def test_at_five_orders_an_hour_probes_take_a_bad_canary_back_within_two_of_its_periods(
    alarms: dict[str, Json], judging: set[str]
) -> None:
    # Given a canary whose synthetic orders all fail, and hardly a customer's order in any minute
    interval, bad = load("prod").deployment.interval_minutes, {**SPARSE, "ReleaseWorse": during(1, None)}
    assert interval
    for delivery in deliveries():
        # Then an alarm that judges a release rings before the second period is over
        first = min(r for n in judging for r in ringing(alarms[n], {**HEALTHY, **bad}, MINUTES, delivery))
        assert first < BEGINS + 2 * interval


def test_at_five_orders_an_hour_one_crash_is_enough(alarms: dict[str, Json], judging: set[str]) -> None:
    # Given the one order of a canary, in which a step crashes
    rings = {
        n: ringing(alarms[n], {**HEALTHY, **SPARSE, "Crashes": once(1)}, MINUTES, Delivery(2))
        for n in judging
    }
    # Then the release is taken back at once
    assert min(r for ringing_at in rings.values() for r in ringing_at) == BEGINS + 2


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
@pytest.mark.parametrize("newest", [0.1, 0.5, 1.0])
def test_a_good_release_is_judged_by_no_incident_of_others(
    alarms: dict[str, Json], judging: set[str], share: float, newest: float
) -> None:
    # Given a database that cannot be reached, so that orders of every release fail by a fault
    draw = random.Random(2)  # noqa: S311 - the same orders fail tomorrow
    fails = [
        (_binomial(draw, 20 * newest, share), _binomial(draw, 20 * (1 - newest), share))
        for _ in range(MINUTES)
    ]
    incident: Series = {
        "TechnicalFailures": lambda minute: Samples(sum(fails[minute]), 20),
        "ReleaseFailures": lambda minute: Samples(fails[minute][0], 20 * newest),
        "5XXError": during(40),
        "Errors@RefundPaymentFunction": during(50),
    }
    # Then what pages somebody rings, and nothing that takes the release back
    assert ringing(alarms["DataApiErrors"], {**HEALTHY, **incident}, MINUTES, Delivery(2))
    for name in judging:
        assert ringing(alarms[name], {**HEALTHY, **incident}, MINUTES, Delivery(2)) == [], name


def _binomial(draw: random.Random, orders_of_minute: float, share: float) -> int:
    return sum(draw.random() < share for _ in range(round(orders_of_minute)))


def test_a_healthy_month_rings_nothing(alarms: dict[str, Json]) -> None:
    """Every point that comes, and at once, is the worst case: late and lost ones only make fewer breaches."""
    draw = random.Random(1)  # noqa: S311 - the same month tomorrow
    month = [_healthy_minute(draw, minute) for minute in range(MONTH)]
    names = {name for points in month for name in points}
    series: Series = {name: functools.partial(_of_month, month, name) for name in names}
    for name, alarm in alarms.items():
        # At five orders an hour 90 minutes without one do happen; production's alarm expects less.
        if name != "OrdersMissing":
            assert most_breaches(alarm, series, MONTH) < alarm["DatapointsToAlarm"], name


def test_production_expects_orders_no_sooner_than_a_healthy_month_has_them() -> None:
    draw = random.Random(1)  # noqa: S311 - the same month tomorrow
    ended = [m for m in range(MONTH) if "TechnicalFailures" in _healthy_minute(draw, m)]
    longest = max(after - before for before, after in itertools.pairwise(ended))
    expected = load("prod").alarms.orders_expected_within_minutes
    assert expected
    assert longest < expected


def _of_month(month: list[dict[str, Value]], name: str, minute: int) -> Value:
    return month[minute].get(name)


def _healthy_minute(draw: random.Random, minute: int) -> dict[str, Value]:
    """Return a minute's points: five orders an hour at night, hundreds a minute in a sale, few faults."""
    hour = minute // 60 % 24
    ended = 0 if hour < 6 and draw.random() > 5 / 60 else 1 if hour < 6 else draw.choice([5, 20, 60])
    ended *= 10 if minute % (7 * 24 * 60) in range(1000, 1120) else 1
    faults = sum(draw.random() < 0.0001 for _ in range(ended))
    points: dict[str, Value] = {
        "5XXError": float(draw.random() < 0.01),
        "Throttles": 0,
        "ExecutionsFailed@Settlement": 0,
        "SchedulesSilent": 0,
    }
    if minute % 5 == 0:
        points["ExecutionsFailed@SmokeWorkflow"] = 0
    if ended:
        late = sum(draw.random() < 0.0002 for _ in range(ended))
        points |= {"TechnicalFailures": Samples(faults, ended), "ReleaseFailures": Samples(faults, ended)}
        points |= {"OrdersEndedInTime": Samples(ended - faults - late, ended)}
        points |= {"Errors": float(draw.random() < 0.001)}
        points |= {"Latency": 200 + 400 * draw.random()}
    if minute % (24 * 60) < 60:  # a release a day, and one in a hundred probes of it finds it worse
        points |= {"ReleaseWorse": float(draw.random() < 0.01)}
    return points


def test_no_alarm_rests_on_the_newest_minutes_alone(alarms: dict[str, Json]) -> None:
    for name, alarm in alarms.items():
        if alarm["TreatMissingData"] == "notBreaching":
            assert alarm["EvaluationPeriods"] >= alarm["DatapointsToAlarm"] + 3, name


def test_only_where_silence_is_the_symptom_a_missing_value_keeps_the_state(alarms: dict[str, Json]) -> None:
    silent = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "ignore"}
    assert silent == {"OrdersMissing", "ScheduleCheckSilent"}
    assert {metric for name in silent for metric in metric_names(alarms[name])} == WATCHING
