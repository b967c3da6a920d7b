"""What a user pays with at the gateway: ids of Stripe's, never numbers of cards or accounts."""

from typing import NamedTuple

from data_api.domain.order import Order
from data_api.storage.database import Db


class Payer(NamedTuple):
    """An order's user as a payment sees them; `late` by MongoDB's clock."""

    currency: str
    synthetic: bool
    late: bool
    wallet: dict[str, str]

    def means(self, method: str) -> dict[str, str]:
        """Return {customer?, payment_method?}, the latter only if the wallet has one for this method."""
        named = {"customer": self.wallet.get("customer"), "payment_method": self.wallet.get(method)}
        return {name: value for name, value in named.items() if value is not None}


def payer(db: Db, order: Order) -> Payer | None:
    """Return the order's user, or None if there is no such user."""
    projection = {
        **dict.fromkeys(("currency", "synthetic", "wallet"), True),
        "late": {"$gte": ["$$NOW", order.deadline]},
    }
    user = db.users.find_one({"_id": order.user_id}, projection)
    if user is None:
        return None
    return Payer(user["currency"], user["synthetic"], user["late"], user.get("wallet", {}))
