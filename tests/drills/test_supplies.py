"""A product is sold out, a customer's credit and card are used up: the shop supplies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.aws import executions

if TYPE_CHECKING:
    from tests.drills.drill import Scene
    from tests.drills.system import System

_PAGE: Final = "supplies.md"


def _ends(system: System, product: str, user: str, *, price: int = 250) -> str:
    """Place an order of one piece at a price, and return the error that it ends with."""
    order = system.traffic.shop.order(user, (product, price, 1))
    return list(executions.follow(system.stack.aws, system.traffic.place(order)))[-1].error


def test_supplies(scene: Scene) -> None:
    system = scene.system
    shop = system.traffic.shop
    # Given a product of which one piece is left, and a customer whose credit is enough for one
    product, poor, rich = (
        shop.product(price=250, available=1),
        shop.user(balance=250),
        shop.user(balance=9_999),
    )
    early = shop.order(rich, (product, 250, 1))
    # When both are used up; Then orders are refused, which is no alarm
    scene.breaks(
        "a product is sold out, and a customer's credit used up", lambda: _ends(system, product, poor)
    )
    assert _ends(system, product, rich) == "OutOfStock"
    scene.rings_nothing()
    # When the page is followed, twice, as after an answer that was lost
    for _ in range(2):
        scene.follow(_PAGE, "Add stock and credit", PRODUCT=product, USER=poor)
    # Then each was added once, and orders go through again
    assert (shop.available(product), shop.balance(poor)) == (20, 2_500)
    assert _ends(system, product, poor) == ""
    # When the price changes; Then new orders pay it, and one that was written before pays what it said
    scene.follow(_PAGE, "Change a price", PRODUCT=product)
    assert [_ends(system, product, rich, price=price) for price in (250, 495)] == ["InvalidOrder", ""]
    list(executions.follow(system.stack.aws, system.traffic.place(early)))
    assert system.stack.api.order(early)["state"] == "COMPLETED"
    # When means change; Then they are the user's
    scene.follow(_PAGE, "Change what somebody pays with", USER=poor)
    assert system.stack.api.user(poor)["wallet"] == ["card"]
    # Then what is there fits together, and the system is well
    scene.follow(_PAGE, "See that it fits together")
    scene.well()
