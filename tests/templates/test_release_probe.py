from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.stepfunctions.jsonata_functions import evaluate
from templates.definitions import release_probe as probe
from templates.definitions import smoke_workflow

Json = dict[str, Any]
ARN = "arn:aws:states:eu-central-1:333333333333:stateMachine:prod-PaymentWorkflow"


@pytest.fixture(scope="module")
def states() -> Json:
    found: Json = json.loads(json.dumps(probe.definition()["States"]).replace("${Workflow}", ARN))
    return found


def value(text: str, result: Any = None, **variables: Any) -> Any:
    return evaluate(text.removeprefix("{%").removesuffix("%}"), {"states": {"result": result}, **variables})


def alias(*numbers: int, moved: str = "2026-11-01T00:00:00.000Z") -> Json:
    routes = [{"StateMachineVersionArn": f"{ARN}:{number}", "Weight": 50} for number in numbers]
    return {"RoutingConfiguration": routes, "UpdateDate": moved}


@pytest.mark.parametrize(
    ("numbers", "moved", "newest", "young"),
    [
        ([7], "2020-01-01T00:00:00.000Z", 7, False),
        ([7], "2126-01-01T00:00:00.000Z", 7, True),
        ([9, 10], "2020-01-01T00:00:00.000Z", 10, True),
        ([10, 9], "2020-01-01T00:00:00.000Z", 10, True),
    ],
)
def test_a_release_is_young_while_live_leads_to_two_versions_or_moved_lately(
    states: Json, numbers: list[int], moved: str, newest: int, young: bool
) -> None:
    assign = states[probe.LOOK]["Assign"]
    assert value(assign["newest"], alias(*numbers, moved=moved)) == newest
    assert value(assign["young"], alias(*numbers, moved=moved)) is young


@pytest.mark.parametrize(
    ("there", "serving", "newest", "older"),
    [
        ([1], [1], 1, []),
        ([2, 1], [2], 2, [1]),
        ([10, 9, 8, 7], [10], 10, [9, 8]),
        ([10, 9, 8], [9], 9, [8]),
        ([10, 9], [3], 3, []),
        ([10, 9, 8, 7], [9, 10], 10, [9, 8]),
        ([10, 9, 8, 7], [10, 7], 10, [7, 9, 8]),  # those between are bad releases that were taken back
    ],
)
def test_it_is_compared_with_the_version_that_serves_and_the_two_before(
    states: Json, there: list[int], serving: list[int], newest: int, older: list[int]
) -> None:
    routed = value(states[probe.LOOK]["Assign"]["serving"], alias(*serving))
    listed = {"StateMachineVersions": [{"StateMachineVersionArn": f"{ARN}:{n}"} for n in there]}
    found = value(states[probe.VERSIONS]["Assign"]["older"], listed, newest=newest, serving=routed)
    assert found == older
    # Then each version gets three orders, under names of their own
    items = value(states[probe.EACH]["Items"], newest=newest, older=older)
    assert [item["version"] for item in items] == [n for n in [newest, *older] for _ in range(probe.ORDERS)]
    assert len({item["name"] for item in items}) == len(items)


@pytest.mark.parametrize(
    ("newest", "before", "older_still", "worse"),
    [
        ("fff", "ppp", "ppp", 1),
        ("fff", "fff", "ppp", 1),  # the one before is a bad release, too, and was taken back
        ("fff", "fff", "fff", 0),  # an incident
        ("fff", "fpp", "pfp", 0),
        ("ffp", "ppp", "ppp", 0),
        ("ffu", "ppp", "ppp", 0),  # nobody could look
        ("uuu", "ppp", "ppp", 0),
        ("fff", "uuu", "uuu", 0),
        ("ppp", "fff", "fff", 0),
    ],
)
def test_it_is_worse_only_where_all_of_it_fails_and_nothing_of_an_older_one(
    states: Json, newest: str, before: str, older_still: str, worse: int
) -> None:
    words = {"p": "passed", "f": "failed", "u": "unknown"}
    results = [
        {"version": version, "result": words[letter]}
        for version, letters in ((9, newest), (8, before), (7, older_still))
        for letter in letters
    ]
    probed = value(states[probe.EACH]["Assign"]["worse"], results, newest=9, older=[8, 7])
    [point] = states[probe.TELL]["Arguments"]["MetricData"]
    assert value(point["Value"], worse=probed) == worse


def test_whatever_happens_the_order_is_removed_and_a_run_ends_within_express_five_minutes() -> None:
    order = probe.definition()["States"][probe.EACH]["ItemProcessor"]["States"]
    for name in (probe.CREATE, probe.PLACE, probe.FOLLOW, probe.STOP):
        assert order[name]["Catch"][-1]["Next"] == probe.REMOVE
    # One call of the smoke function to make the order and one to remove it, and all looks at it
    assert 2 * smoke_workflow.TASK_SECONDS + probe.PATIENCE_SECONDS + 30 < 300
