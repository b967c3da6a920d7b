"""What an environment costs: what its templates hold, times public list prices.

What stands there is counted from the templates; what an order uses, from the workflow's definition. Both are
figures that pages use by name (`cost.network_month`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from environments import schema
from pipelines.evidence import prices
from templates.definitions import payment_workflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.docs_site.stacks import Stack

ENVIRONMENT: Final = "prod"
"""Whose functions' memory is counted with."""
_MEBIBYTES: Final = 1024
_INTERNET: Final = ("AWS::EC2::NatGateway", "AWS::EC2::EIP")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is paid for.

    Attributes:
        what: a resource's type, or a unit of use.
        count: how many of it.
        price: dollars of one.
    """

    what: str
    count: float
    price: float

    @property
    def dollars(self) -> float:
        """What all of them cost."""
        return self.count * self.price


def standing(stack: Stack) -> list[Item]:
    """What a stack holds that is paid by the month, used or not."""
    resources = list(stack.resources.values())
    items = [
        Item(kind, sum(_units(one) for one in resources if one["Type"] == kind), price)
        for kind, price in prices.MONTHLY.items()
    ]
    items.append(Item("custom metric", len(_metrics(resources)), prices.LIST["custom metric"]))
    return [item for item in items if item.count]


def of_an_order() -> list[Item]:
    """What an order uses that is placed without a failure, and paid by credit."""
    states = payment_workflow.definition()["States"]
    way = [payment_workflow.RESERVE]
    while "Next" in states[way[-1]]:
        way.append(states[way[-1]]["Next"])
    steps = sum(states[name]["Type"] == "Task" for name in way)
    memory = schema.load(ENVIRONMENT).functions.memory_mb / _MEBIBYTES
    seconds = prices.LIST["assumed_billed_milliseconds"] / 1000
    used = {
        "state transition": len(way) + 1,  # the start is one as well
        "API request": steps,
        "function request": 2 * steps,  # the step's function, and the data API's
        "function GB-second": 2 * steps * memory * seconds,
    }
    return [Item(what, count, prices.LIST["use"][what]) for what, count in used.items()]


def total(items: Iterable[Item]) -> float:
    """The sum, in dollars."""
    return sum(item.dollars for item in items)


def figures(stacks: Mapping[str, Stack]) -> dict[str, str]:
    """What pages may name: `cost.…`, in dollars."""
    month = {name: total(standing(stacks[name])) for name in ("network", "payments")}
    return {
        "network_month": f"{month['network']:.2f}",
        "payments_month": f"{month['payments']:.2f}",
        "internet_month": f"{sum(prices.MONTHLY[kind] for kind in _INTERNET):.2f}",
        "million_orders": f"{total(of_an_order()) * 1_000_000:.0f}",
    }


def _units(resource: dict[str, Any]) -> int:
    """An alarm on a formula is paid for each metric in it; everything else counts once."""
    queries = resource.get("Properties", {}).get("Metrics", [])
    return sum("MetricStat" in query for query in queries) or 1


def _metrics(resources: Iterable[dict[str, Any]]) -> set[str]:
    return {
        change["MetricName"]
        for one in resources
        if one["Type"] == "AWS::Logs::MetricFilter"
        for change in one["Properties"]["MetricTransformations"]
    }
