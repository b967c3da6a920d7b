"""Figures that the code itself knows, for pages that name them: nobody types what a definition says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from environments import schema, tools
from payment_data import money
from pipelines.core.repository import ROOT
from pipelines.docs_site import costs, readme_diagram
from pipelines.docs_site.pages import workflows
from templates.capabilities import data_api_stage
from templates.definitions import payment_workflow, tasks, time_budget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.docs_site.stacks import Stack

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def figures(stacks: Mapping[str, Stack]) -> dict[str, Any]:
    """By name: `promotion.bake_minutes` is the tools file's; `workflow.deadline_minutes` the definition's."""
    budget, settings, prod = time_budget.figures(), tools.load(), schema.load("prod")
    drawn = workflows.happy_and_undone(payment_workflow.definition())
    return {
        "promotion": settings.model_dump() | {"traffic": prod.deployment.model_dump()},
        "workflow": {
            "deadline_minutes": budget["deadline_seconds"] // _MINUTE,
            "task_seconds": tasks.TASK_SECONDS,
            "forward_minutes": round(budget["forward"]["seconds"] / _MINUTE),
            "bank_days": round(budget["forward"]["waiting_seconds"] / _DAY),
            "undo_hours": f"{budget['states']['Refund payment']['seconds'] / _HOUR:.1f}",
        },
        "limits": _of_an_order()
        | {
            "requests_per_second": data_api_stage.REQUESTS_PER_SECOND,
            "burst": data_api_stage.BURST,
            "amount": f"{money.format_major(money.MAX_AMOUNT, prod.currency)} {prod.currency}",
        },
        "picture": {
            "order": f"flowchart TB\n{drawn}".rstrip(),
            "release": "\n".join(["flowchart TB", *readme_diagram.release(stacks["pipelines"])]),
        },
        "cost": costs.figures(stacks),
    }


def _of_an_order() -> dict[str, Any]:
    """What an order may ask for, as the data API's own document says it."""
    document = json.loads((ROOT / "docs" / "data" / "openapi.json").read_text(encoding="utf-8"))
    shapes = document["components"]["schemas"]
    return {
        "lines": shapes["NewOrder"]["properties"]["lines"]["maxItems"],
        "quantity": shapes["Line"]["properties"]["quantity"]["maximum"],
    }
