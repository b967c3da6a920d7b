"""What a shop changes from outside: stock, credit, prices, and what users pay with."""

from pymongo.errors import DuplicateKeyError

from data_api.domain.requests import Document
from data_api.domain.transactions import Leg
from data_api.schemas import bodies, views
from data_api.schemas.views import Answer
from data_api.storage import ledger, products, supplies, users
from data_api.storage.database import Db
from payment_data.errors import (
    FieldError,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidRequest,
    NotFound,
    Throttled,
)
from payment_data.money import MAX_BALANCE

_ROUNDS = 3
_LIMITS = {"products": bodies.MAX_AVAILABLE, "users": MAX_BALANCE}


def restock_product(db: Db, product_id: str, restock_id: str, request: Document) -> Answer:
    """Add stock to a product, once for each restock's id; in the product and in the ledger.

    Raises:
        NotFound: no product has this id.
        IdempotencyMismatch: this restock was of another quantity.
        IllegalTransition: the product is synthetic.
        InvalidRequest: more than may be available.
        Throttled: the product kept changing; ask again.
    """
    product = _real("product", products.find(db, product_id))
    quantity = request["quantity"]
    legs = supplies.supply_legs("products", product_id, product_id, f"restock.{restock_id}", quantity)
    _supply(db, "products", product_id, legs, "quantity")
    return Answer(views.product(products.find(db, product_id) or product))


def top_up_user(db: Db, user_id: str, top_up_id: str, request: Document) -> Answer:
    """Add credit to a user's balance, once for each top-up's id; in the user and in the ledger.

    Raises:
        NotFound: no user has this id.
        IdempotencyMismatch: this top-up was of another amount.
        IllegalTransition: the user is synthetic.
        InvalidRequest: another currency, or more than a balance may be.
        Throttled: the user kept changing; ask again.
    """
    user = _real("user", users.find(db, user_id))
    if request["currency"] != user["currency"]:
        rule = f"must be the user's, {user['currency']}"
        raise InvalidRequest("another currency", [FieldError("currency", rule)])
    name = f"top-up.{top_up_id}"
    legs = supplies.supply_legs("users", user_id, user["currency"], name, request["amount"])
    _supply(db, "users", user_id, legs, "amount")
    return Answer(views.user(users.find(db, user_id) or user))


def reprice_product(db: Db, product_id: str, request: Document) -> Answer:
    """Set a product's price; an order keeps the price that was right when it was created.

    Raises:
        NotFound: no product has this id.
    """
    supplies.reprice(db, product_id, request["price"])
    if document := products.find(db, product_id):
        return Answer(views.product(document))
    raise NotFound("no product has this id")


def change_wallet(db: Db, user_id: str, wallet: Document) -> Answer:
    """Set what a user pays with at the gateway; a payment that was opened keeps what it was opened with.

    Raises:
        NotFound: no user has this id.
    """
    supplies.change_wallet(db, user_id, wallet)
    if document := users.find(db, user_id):
        return Answer(views.user(document))
    raise NotFound("no user has this id")


def _real(kind: str, document: Document | None) -> Document:
    if document is None:
        raise NotFound(f"no {kind} has this id")
    if document.get("books") == ledger.SYNTHETIC:
        raise IllegalTransition(f"a synthetic {kind} is not in the ledger")
    return document


def _supply(db: Db, collection: str, key: str, legs: list[Leg], field: str) -> None:
    """Return once it is done, by this request or an earlier one."""
    amount, limit = legs[1].amount, _LIMITS[collection]
    for _ in range(_ROUNDS):
        before = supplies.supplied(db, legs)
        if before == amount:
            return
        if before is not None:
            raise IdempotencyMismatch(f"this id stands for {before}")
        try:
            if supplies.supply(db, collection, key, legs, limit):
                return
        except DuplicateKeyError:
            continue  # another request did it, or entered the opening
        raise InvalidRequest("too much", [FieldError(field, f"must not lead to more than {limit}")])
    raise Throttled("somebody else changed it at the same moment")
