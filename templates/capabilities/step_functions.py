"""The functions of the payment workflow and of the smoke workflow, and what each may ask of the data API."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from awacs.execute_api import Invoke
from awacs.secretsmanager import GetSecretValue
from troposphere import Sub

from payment_data.payment_methods.names import BALANCE, STRIPE
from payment_data.timeouts import FUNCTION_SECONDS as STEP_SECONDS
from templates.capabilities.api_gateway import STAGE
from templates.capabilities.functions import DeployedFunction, FunctionSpec, add_function
from templates.capabilities.lint_exceptions import STATED_SECRET
from templates.capabilities.permissions import Permission
from templates.definitions.smoke_workflow import FUNCTION_SECONDS as SMOKE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from troposphere import AWSHelperFn, Template

    from environments.parts import Stripe
    from environments.schema import Environment
    from templates.capabilities.data_api import DataApi

_SYNTHETIC = [
    f"{method}/{kind}/smoke-*"
    for kind in ("products", "users", "orders")
    for method in ("PUT", "GET", "DELETE")
]
ROUTES = {
    "reserve_products": ["PUT/orders/*/reservation"],
    "process_payment": ["PUT/orders/*/payment"],
    "arrange_delivery": ["PUT/orders/*/deliveries"],
    "refund_payment": ["PUT/orders/*/refund"],
    "release_products": ["PUT/orders/*/release"],
    "record_failure": ["PUT/orders/*/failure"],
    "find_unfinished": ["GET/orders", "GET/orders/*", "GET/sweep", "PUT/sweep"],
    "smoke": _SYNTHETIC,
}
"""Function to the requests that it makes: METHOD/path, `*` where an id stands."""
_ATTEMPT = "PUT/orders/*/payments/?"  # an attempt's number; `?` stands for one character
_STRIPE_ROUTES = {
    "process_payment": [
        f"{attempt}{what}"
        for attempt in (_ATTEMPT, f"{_ATTEMPT}?")
        for what in ("", "/intent", "/processing", "/capture", "/decline")
    ],
    "refund_payment": [
        "PUT/orders/*/refund",
        *(f"{attempt}/{what}" for attempt in (_ATTEMPT, f"{_ATTEMPT}?") for what in ("refund", "closure")),
    ],
}

_DESCRIPTIONS = {
    "reserve_products": "Holds an order's products",
    "process_payment": "Charges an order",
    "arrange_delivery": "Arranges the deliveries of a charged order",
    "refund_payment": "Undoes an order's payment",
    "release_products": "Undoes the hold of products",
    "record_failure": "Records why an order failed, or that it needs attention",
    "find_unfinished": "Finds orders that are on their way, for the sweeper",
    "smoke": "Makes, checks and removes the synthetic data of a smoke test",
}
_PAYS = {"process_payment", "refund_payment"}
_KNOWS_THE_METHOD = {"reserve_products", *_PAYS, "smoke"}


def routes(name: str, payment_methods: Collection[str]) -> list[str]:
    """Return the requests that a function makes where orders are, or were, paid by these methods.

    An execution that is under way runs the version it began with, but with the role as it is now.
    """
    through_stripe = [_STRIPE_ROUTES.get(name, []) for method in payment_methods if method in STRIPE]
    by_balance = bool({*BALANCE} & {*payment_methods}) or name not in _STRIPE_ROUTES
    return list(dict.fromkeys([*(ROUTES[name] if by_balance else []), *chain(*through_stripe)]))


def add_step_functions(
    template: Template, environment: Environment, api: DataApi
) -> dict[str, DeployedFunction]:
    """Add every function of `ROUTES` and return them by name."""
    return {name: add_function(template, environment, _spec(environment, api, name)) for name in ROUTES}


def _spec(environment: Environment, api: DataApi, name: str) -> FunctionSpec:
    variables: dict[str, AWSHelperFn | str] = {"DATA_API_URL": api.url}
    if name in _KNOWS_THE_METHOD:
        variables["PAYMENT_METHOD"] = environment.payment_method
    groups, permissions = (
        ["FunctionsSecurityGroupId"],
        [_may_ask(api, routes(name, environment.payment_methods))],
    )
    if name in _PAYS and environment.stripe is not None:
        variables |= _stripe_variables(environment.stripe)
        groups.append("PaymentsSecurityGroupId")
        permissions.append(_may_read_the_key(environment.stripe))
    return FunctionSpec(
        name,
        _DESCRIPTIONS[name],
        seconds=SMOKE_SECONDS if name == "smoke" else STEP_SECONDS,
        security_groups=groups,
        variables=variables,
        permissions=permissions,
        exceptions=[STATED_SECRET] if name in _PAYS and environment.stripe is not None else [],
    )


def _stripe_variables(stripe: Stripe) -> dict[str, AWSHelperFn | str]:
    """Where the key is, never the key; where the API is only if it is not Stripe's own."""
    base = {} if stripe.api_base is None else {"STRIPE_API_BASE": stripe.api_base}
    return {"STRIPE_SECRET_ARN": stripe.secret_arn, **base}


def _may_read_the_key(stripe: Stripe) -> Permission:
    # Encrypted with aws/secretsmanager, a secret needs no right to a key (Secrets Manager user guide,
    # "Secret encryption and decryption").
    return Permission(
        "ReadStripeKey",
        "Reads the one secret that holds Stripe's API key, when it is first needed.",
        [GetSecretValue],
        [stripe.secret_arn],
    )


def _may_ask(api: DataApi, requests: list[str]) -> Permission:
    base = (
        f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api.title}}}/{STAGE}"
    )
    return Permission(
        "AskDataApi",
        "Calls exactly the requests that it makes; ids are no secret, so any id.",
        [Invoke],
        [Sub(f"{base}/{route}") for route in requests],
    )
