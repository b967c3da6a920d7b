"""Lambda handler of the smoke workflow's tasks."""

import os
from typing import Any

from payment_data.errors import FieldError, InvalidRequest
from payment_data.step import data_api, logged
from smoke.scenarios import Scenarios, scenarios, verify

api = data_api()


@logged
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Perform `action` for `run`: create, verify ({outcomes}) or remove. Every action may be repeated.

    Returns:
        create: {run, orders: {scenario: order id}}; verify: {run, passed, checks: [{name, ok, detail}]};
        remove: {run, removed: count}.

    Raises:
        InvalidRequest: no such action.
    """
    run = scenarios(event.get("run"))
    match event.get("action"):
        case "create":
            return _create(run)
        case "verify":
            checks = verify(api, run, event.get("outcomes") or {}, os.environ["PAYMENT_METHOD"])
            return {"run": run.run, "passed": all(check["ok"] for check in checks), "checks": checks}
        case "remove":
            return _remove(run)
    raise InvalidRequest("no such action", [FieldError("action", "must be create, verify or remove")])


def _create(run: Scenarios) -> dict[str, Any]:
    for product_id, product in run.products().items():
        api.put_product(product_id, product)
    for user_id, user in run.users().items():
        api.put_user(user_id, user)
    for scenario, order in run.orders().items():
        api.put_order(run.id(scenario), order)
    return {"run": run.run, "orders": {scenario: run.id(scenario) for scenario in run.orders()}}


def _remove(run: Scenarios) -> dict[str, Any]:
    orders = [run.id(scenario) for scenario in run.orders()]
    for order_id in orders:
        api.delete_order(order_id)
    for user_id in run.users():
        api.delete_user(user_id)
    for product_id in run.products():
        api.delete_product(product_id)
    return {"run": run.run, "removed": len(orders) + len(run.users()) + len(run.products())}
