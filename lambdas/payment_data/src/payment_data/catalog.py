"""The data API's operations on products and users: what a shop has, and who buys there."""

from collections.abc import Mapping
from typing import Any

from payment_data.api_requests import Json, Requests, path_of


class Catalog(Requests):
    """Every operation on products and users; see `DataApi`."""

    def put_product(self, product_id: str, product: Mapping[str, Any]) -> Json:
        """Create a product {name, type, price, currency, available, synthetic?}; price in minor units.

        Raises:
            IdempotencyMismatch: another product has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(path_of("products", product_id), product)

    def product(self, product_id: str) -> Json:
        """Return {product_id, name, type, price, currency, available, synthetic?}. Raises `NotFound`."""
        return self._send("GET", path_of("products", product_id))

    def delete_product(self, product_id: str) -> None:
        """Delete a synthetic product, if it is there. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", path_of("products", product_id))

    def restock(self, product_id: str, restock_id: str, *, quantity: int) -> Json:
        """Add stock to a product, once for each restock's id; return it as `product` does.

        Raises:
            NotFound: no product has this id.
            IdempotencyMismatch: this restock was of another quantity.
            IllegalTransition: the product is synthetic.
        """
        return self._put(path_of("products", product_id, "restocks", restock_id), {"quantity": quantity})

    def reprice(self, product_id: str, *, price: int) -> Json:
        """Set a product's price in minor units, and return it as `product` does.

        Orders keep the price that they were created with.

        Raises:
            NotFound: no product has this id.
        """
        return self._put(path_of("products", product_id, "price"), {"price": price})

    def put_user(self, user_id: str, user: Mapping[str, Any]) -> Json:
        """Create a user {username, balance, currency, synthetic?, wallet?}; balance in minor units.

        A wallet is {customer?, card?, bank_account?}, ids at the gateway; a user shows which are there.

        Raises:
            IdempotencyMismatch: another user has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(path_of("users", user_id), user)

    def user(self, user_id: str) -> Json:
        """Return {user_id, username, balance, currency, synthetic?, wallet: [methods]}. Raises `NotFound`."""
        return self._send("GET", path_of("users", user_id))

    def delete_user(self, user_id: str) -> None:
        """Delete a synthetic user, if it is there. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", path_of("users", user_id))

    def top_up(self, user_id: str, top_up_id: str, *, amount: int, currency: str) -> Json:
        """Add credit to a user's balance, once for each top-up's id; return it as `user` does.

        Raises:
            NotFound: no user has this id.
            IdempotencyMismatch: this top-up was of another amount.
            IllegalTransition: the user is synthetic.
        """
        body = {"amount": amount, "currency": currency}
        return self._put(path_of("users", user_id, "top-ups", top_up_id), body)

    def change_wallet(self, user_id: str, wallet: Mapping[str, str]) -> Json:
        """Set what a user pays with at the gateway, {customer?, card?, bank_account?}; return the user.

        Raises:
            NotFound: no user has this id.
        """
        return self._put(path_of("users", user_id, "wallet"), wallet)
