"""What a smoke execution made can be deleted; nothing else can."""

import pytest

from payment_data.errors import IllegalTransition, NotFound, OrderNotFound
from tests.integration.data_api.shop import Shop


def test_synthetic_documents_and_what_hangs_on_them_are_deleted_for_good(shop: Shop) -> None:
    # Given a synthetic order with deliveries and a failure
    shop.stock(synthetic=True)
    shop.user(synthetic=True)
    shop.order(synthetic=True)
    for step in ("reserve", "charge", "deliver"):
        getattr(shop, step)()
    shop.fail()
    # When all is deleted, twice
    for _ in range(2):
        shop.api.delete_order("o1")
        shop.api.delete_user("ann")
        shop.api.delete_product("apple")
    # Then
    assert not any(shop.everything().values())
    for read, error in (("order", OrderNotFound), ("user", NotFound), ("product", NotFound)):
        with pytest.raises(error):
            getattr(shop.api, read)("o1")


@pytest.mark.parametrize(("kind", "name"), [("order", "o1"), ("user", "ann"), ("product", "apple")])
def test_real_documents_cannot_be_deleted(shop: Shop, kind: str, name: str) -> None:
    # Given
    shop.open()
    before = shop.everything()
    # When
    with pytest.raises(IllegalTransition):
        getattr(shop.api, f"delete_{kind}")(name)
    # Then
    assert shop.everything() == before
