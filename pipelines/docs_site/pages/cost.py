"""What an environment costs, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site import costs
from pipelines.docs_site.markdown import code, page, prose, table
from pipelines.evidence import prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.docs_site.costs import Item
    from pipelines.docs_site.stacks import Stack

_FEW: Final = 0.01


def cost_page(stacks: Mapping[str, Stack]) -> str:
    """The page."""
    listed: dict[str, Any] = prices.LIST
    network, payments = (costs.standing(stacks[name]) for name in ("network", "payments"))
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
        "What stands there costs by the month, and what orders use costs by use; this page adds both up.\n",
        dated,
        "## The network stack, by the month\n",
        _itemised(network),
        "One for each environment.\n",
        "## A payments stack, by the month\n",
        _itemised(payments),
        "One for each of staging and production, and one for each branch that is worked on.\n",
        "## An order\n",
        assumed,
        _itemised(costs.of_an_order()),
        "## What is not counted\n",
        prose(
            "Logs, traces and metrics that functions write (by volume), data through endpoints, peering and"
            " NAT gateways (by the gigabyte), build and pipeline minutes (by the minute), storage of"
            " artifacts, the docs site (by who reads it), and what Stripe takes."
        )
        + "\n",
    )


def _itemised(items: list[Item]) -> str:
    rows = [[code(one.what), f"{one.count:g}", _money(one.price), _money(one.dollars)] for one in items]
    rows.append(["**together**", "", "", f"**{_money(costs.total(items))}**"])
    return table(["What", "How many", "Each", "Together"], rows)


def _money(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars >= _FEW else f"{dollars:.8f}".rstrip("0")
