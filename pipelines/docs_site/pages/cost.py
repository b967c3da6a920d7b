"""What an environment costs, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from environments import schema
from pipelines.core.zone import Trust
from pipelines.definitions.projects import COMPUTE_TYPES
from pipelines.deploy import synth
from pipelines.docs_site.markdown import code, page, prose, table
from pipelines.docs_site.stacks import Stack
from pipelines.evidence import stack_changes
from templates.capabilities.data_api import DATA_API_LEAST_MEMORY_MB
from templates.definitions import payment_workflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FEW: Final = 0.01


def cost_page(stacks: Mapping[str, Stack]) -> str:
    """Return the page of costs."""
    listed: dict[str, Any] = stack_changes.PRICES
    network, payments = (monthly_items(stacks[name]) for name in ("network", "payments"))
    dated = (
        f"US dollars in {code(listed['region'])}, on demand, by the public list prices of"
        f" {listed['as_of']}: without free tiers, discounts and taxes. The database is not in it.\n"
    )
    assumed = (
        f"An order that is placed without a failure and paid by credit, where each function runs for"
        f" {listed['assumed_billed_milliseconds']} ms, which is an assumption.\n"
    )
    return page(
        "Cost",
        ["docs/data/prices.json", "the templates"],
        "Fixed monthly costs and the cost of each order, added up.\n",
        dated,
        "## The network stack, by the month\n",
        _itemised(network),
        "One for each environment.\n",
        "## A payments stack, by the month\n",
        _itemised(payments),
        "One for each of staging and production.\n",
        "## A branch's payments stack, by the month\n",
        _itemised(branch_items()),
        "One for each branch that is worked on.\n",
        "## An order\n",
        assumed,
        _itemised(order_items()),
        "## A proof of the money path\n",
        f"Of a source that was not proven before; {listed['assumed_proof_minutes']} minutes are assumed.\n",
        _itemised([proof_item(zone) for zone in Trust]),
        "## What is not counted\n",
        prose(
            "Logs, traces and metrics that functions write (by volume), data through endpoints, peering and"
            " NAT gateways (by the gigabyte), minutes of other builds and of pipelines, storage of"
            " artifacts, the docs site (by who reads it), and what Stripe takes."
        )
        + "\n",
    )


def _itemised(items: list[Item]) -> str:
    rows = [[code(item.what), f"{item.count:g}", _money(item.price), _money(item.dollars)] for item in items]
    rows.append(["**together**", "", "", f"**{_money(total(items))}**"])
    return table(["What", "How many", "Each", "Together"], rows)


def _money(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars >= _FEW else f"{dollars:.8f}".rstrip("0")


ENVIRONMENT: Final = "prod"
"""Whose functions' memory is counted with; the data API has one of its own."""
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
        """Return what all of them cost."""
        return self.count * self.price


def monthly_items(stack: Stack) -> list[Item]:
    """Return what a stack holds that is paid by the month, used or not."""
    resources = list(stack.resources.values())
    items = [
        Item(kind, sum(_units(resource) for resource in resources if resource["Type"] == kind), price)
        for kind, price in stack_changes.MONTHLY_PRICES.items()
    ]
    items.append(Item("custom metric", len(_metrics(resources)), stack_changes.PRICES["custom metric"]))
    return [item for item in items if item.count]


def branch_items() -> list[Item]:
    """Return what a branch's payments stack holds that is paid by the month."""
    template = synth.build(schema.load("branch"))["payments"].to_dict()
    return monthly_items(Stack("payments", "templates/payments.py", template))


def order_items() -> list[Item]:
    """Return what one successful order uses that is paid by credit."""
    states = payment_workflow.definition()["States"]
    path = [payment_workflow.RESERVE]
    while "Next" in states[path[-1]]:
        path.append(states[path[-1]]["Next"])
    steps = sum(states[name]["Type"] == "Task" for name in path)
    memory_mb = schema.load(ENVIRONMENT).functions.memory_mb
    both = (memory_mb + max(memory_mb, DATA_API_LEAST_MEMORY_MB)) / _MEBIBYTES
    seconds = stack_changes.PRICES["assumed_billed_milliseconds"] / 1000
    used = {
        "state transition": len(path) + 1,  # the start is one as well
        "API request": steps,
        "function request": 2 * steps,  # the step's function, and the data API's
        "function GB-second": steps * both * seconds,
    }
    return [Item(what, count, stack_changes.PRICES["use"][what]) for what, count in used.items()]


def proof_item(zone: Trust) -> Item:
    """Return what a proof of the money path uses in a zone, by the minute of its large machine."""
    machine = COMPUTE_TYPES[zone][1]
    minutes = stack_changes.PRICES["assumed_proof_minutes"]
    return Item(f"{zone}: {machine}", minutes, stack_changes.PRICES["build minute"][machine])


def total(items: Iterable[Item]) -> float:
    """Return the sum of items, in dollars."""
    return sum(item.dollars for item in items)


def figures(stacks: Mapping[str, Stack]) -> dict[str, str]:
    """Return the figures that pages name as `cost.…`, in dollars, by what follows the dot."""
    month = {name: total(monthly_items(stacks[name])) for name in ("network", "payments")}
    return {
        "network_month": f"{month['network']:.2f}",
        "payments_month": f"{month['payments']:.2f}",
        "branch_month": f"{total(branch_items()):.2f}",
        "internet_month": f"{sum(stack_changes.MONTHLY_PRICES[kind] for kind in _INTERNET):.2f}",
        "proof_branch": f"{proof_item(Trust.BRANCH).dollars:.2f}",
        "proof_release": f"{proof_item(Trust.RELEASE).dollars:.2f}",
        "million_orders": f"{total(order_items()) * 1_000_000:.0f}",
    }


def _units(resource: dict[str, Any]) -> int:
    """Return how many units of its price a resource is: an alarm on a formula counts each metric in it."""
    queries = resource.get("Properties", {}).get("Metrics", [])
    return sum("MetricStat" in query for query in queries) or 1


def _metrics(resources: Iterable[dict[str, Any]]) -> set[str]:
    return {
        change["MetricName"]
        for resource in resources
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for change in resource["Properties"]["MetricTransformations"]
    }
