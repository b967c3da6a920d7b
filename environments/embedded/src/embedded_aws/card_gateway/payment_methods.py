"""Customers and payment methods, the ready-made test ones among them."""

from localstripe import resources  # type: ignore[import-not-found]  # installed in .cache/card-gateway alone
from localstripe.errors import UserError  # type: ignore[import-not-found]  # the same

from embedded_aws.card_gateway import faults, test_payment_methods
from embedded_aws.card_gateway.localstripe_setup import Object
from embedded_aws.card_gateway.parameters import Params, check_known

_CARD = {"exp_month": "12", "exp_year": "2034", "cvc": "314"}


def find(method_id: str, param: str = "payment_method") -> Object:
    """Return the payment method with this id; an id of Stripe's test data makes a new one, as Stripe does.

    Raises:
        Fault: there is none.
    """
    if number := test_payment_methods.CARD_TOKENS.get(method_id):
        return resources.PaymentMethod(type="card", card={"number": number, **_CARD})
    if iban := test_payment_methods.ACCOUNT_TOKENS.get(method_id):
        return resources.PaymentMethod(type="sepa_debit", sepa_debit={"iban": iban})
    method = resources.store.get(f"payment_method:{method_id}")
    if method is None:
        raise faults.missing("PaymentMethod", method_id, param, status=400)
    return method


def create_method(params: Params) -> Params:
    """Make a payment method from a test card's number or a test account's IBAN.

    Raises:
        Fault: The payment method breaks a rule of Stripe's.
    """
    check_known(params, ("type", "card", "sepa_debit", "billing_details", "metadata"))
    try:
        return _exported(resources.PaymentMethod._api_create(**params))
    except UserError as error:
        raise faults.invalid(f"This is no payment method: {error.body['error'].get('message')}") from None


def retrieve_method(method_id: str, params: Params) -> Params:
    """Return a payment method."""
    check_known(params, ())
    return _exported(find(method_id))


def attach_method(method_id: str, params: Params) -> Params:
    """Give a payment method to a customer, so that it can be charged again."""
    check_known(params, ("customer",))
    method, customer = find(method_id), _customer(params.get("customer", ""))
    method.customer = customer.id
    return _exported(method)


def create_customer(params: Params) -> Params:
    """Make a customer."""
    check_known(params, ("name", "email", "description", "metadata"))
    return _exported(resources.Customer._api_create(**params))


def retrieve_customer(customer_id: str, params: Params) -> Params:
    """Return a customer."""
    check_known(params, ())
    return _exported(_customer(customer_id))


def _customer(customer_id: str) -> Object:
    customer = resources.store.get(f"customer:{customer_id}")
    if customer is None:
        raise faults.missing("customer", customer_id)
    return customer


def _exported(thing: Object) -> Params:
    exported: Params = thing._export()
    return exported
