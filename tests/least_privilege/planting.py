"""What nobody may be told, put where it belongs before a release: into orders, a wallet and a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.rehearsal.shop import Shop, physical

if TYPE_CHECKING:
    from pipelines.orders.payment_stack import PaymentStack

_NAME: Final = "Nightingale-3ad9"
_ADDRESS: Final = "17 Canary Wharf 8e05"
_CARD: Final = "pm_canary_71bc"
_IN_A_URI: Final = "canary-2f64a0"
CANARIES: Final = (_NAME, _ADDRESS, _CARD, _IN_A_URI)


def plant_order(stack: PaymentStack) -> list[str]:
    """Place orders of somebody with a name, an address and a card: one that succeeds, one that cannot."""
    shop = Shop(stack)
    tea = shop.product(price=100, available=5)
    ada = shop.user(balance=1000, username=_NAME, card=_CARD)
    placed = [shop.order(ada, (tea, 100, quantity), address=_ADDRESS) for quantity in (1, 9)]
    assert [shop.place(order).error for order in placed] == ["", "OutOfStock"]
    return placed


def plant_password(stack: PaymentStack) -> None:
    """Change by hand what the data API is configured with, as drift that an approver is shown."""
    functions, function = stack.aws.functions, physical(stack, "DataApiFunction")
    known = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    uri = known["MONGODB_URI"].replace("://", f"://payments:{_IN_A_URI}@")
    functions.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**known, "MONGODB_URI": uri}}
    )
