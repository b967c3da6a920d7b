"""What somebody might break, by hand or by a mistake, and the order or account that must be named for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from bson.int64 import Int64

from tests.integration.reconciliation.world import PRICE, World

Break = Callable[[World], object]


class Corruption(NamedTuple):
    """One thing to break.

    Attributes:
        name: What is broken.
        act: Breaks it.
        named: What a difference must be about or belong to: an order, an account, a PaymentIntent or a leg.
        stages: In which worlds it can be broken.
    """

    name: str
    act: Break
    named: str
    stages: tuple[str, ...] = ("fresh", "entered", "settled")


def _set(collection: str, key: str, **fields: Any) -> Break:
    changes = {name.replace("__", "."): value for name, value in fields.items()}
    return lambda world: world.db[collection].update_one({"_id": key}, {"$set": changes})


def _add(collection: str, key: str, **amounts: int) -> Break:
    changes = {name.replace("__", "."): Int64(amount) for name, amount in amounts.items()}
    return lambda world: world.db[collection].update_one({"_id": key}, {"$inc": changes})


def _unset(collection: str, key: str, name: str) -> Break:
    return lambda world: world.db[collection].update_one({"_id": key}, {"$unset": {name: ""}})


def _delete(collection: str, key: str) -> Break:
    return lambda world: world.db[collection].delete_one({"_id": key})


def _unchecked(collection: str, key: str, change: dict[str, Any]) -> Break:
    """Change what the validator would refuse, as a restored backup or a person with rights can."""
    return lambda world: world.db[collection].update_one(
        {"_id": key}, change, bypass_document_validation=True
    )


def _leg(key: str, order_id: str | None, account: str, amount: int, unit: str = "EUR") -> Break:
    def act(world: World) -> None:
        some = world.db.ledger.find_one() or {}
        document = {
            "_id": key,
            "order_id": order_id,
            "transaction": "charge",
            "account": account,
            "unit": unit,
        }
        world.db.ledger.insert_one({**some, **document, "amount": Int64(amount)})

    return act


def _later(collection: str, key: str, name: str) -> Break:
    """Move a time two days ahead."""
    ahead = {"$add": [f"${name}", 2 * 24 * 3_600_000]}
    return lambda world: world.db[collection].update_one({"_id": key}, [{"$set": {name: ahead}}])


def _failures(order_id: str, change: dict[str, Any] | None) -> Break:
    """Change the failures of an order, or delete them."""

    def act(world: World) -> None:
        if change is None:
            world.db.failures.delete_many({"order_id": order_id})
        else:
            world.db.failures.update_many({"order_id": order_id}, change)

    return act


def _delete_order_with_all(order_id: str, user: str) -> Break:
    """Take an order out as if it had never been, credit and stock returned; the ledger stays as it is."""

    def act(world: World) -> None:
        world.db.orders.delete_one({"_id": order_id})
        operation, hold = f"operations.{order_id}", f"holds.{order_id}"
        charged = {"_id": user, f"{operation}.state": "charged"}
        world.db.users.update_one(charged, {"$unset": {operation: ""}, "$inc": {"balance": Int64(1500)}})
        for product, quantity in (("tea", 2), ("cup", 1)):
            change = {"$unset": {hold: ""}, "$inc": {"available": Int64(quantity)}}
            world.db.products.update_one({"_id": product, f"{hold}.state": "held"}, change)

    return act


def _delete_user_with_all(world: World) -> None:
    """Take a user out with every leg of theirs."""
    world.db.users.delete_one({"_id": "ada"})
    world.db.ledger.delete_many({"account": {"$regex": "^user:ada:"}})


def _print_money(world: World) -> None:
    """Give credit that nobody paid in, everywhere where somebody would look."""
    world.db.users.update_one({"_id": "ada"}, {"$inc": {"balance": Int64(700), "opening": Int64(700)}})
    for side, sign in (("opening", -1), ("balance", 1)):
        world.db.ledger.update_one(
            {"_id": f"user:ada:opening:{side}"}, {"$inc": {"amount": Int64(sign * 700)}}
        )


def _swap_users(world: World) -> None:
    """Make another pay for an order that is done."""
    world.db.orders.update_one({"_id": "done"}, {"$set": {"user_id": "bob"}})


LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
ENTERED: Final = ("fresh", "entered")
SETTLED: Final = ("settled",)
IN_LEDGER: Final = ("entered", "settled")
CORRUPTIONS: Final = (
    # An order's own content.
    Corruption("price of a line", _set("orders", "done", lines__0__price=Int64(400)), "done"),
    Corruption("quantity of a line", _set("orders", "done", lines__0__quantity=Int64(3)), "done"),
    Corruption("product of a line", _set("orders", "card", lines__1__product_id="tea2"), "card"),
    Corruption("address of a line", _set("orders", "done", lines__0__delivery_address="2 Elm"), "done"),
    Corruption("name of a line", _set("orders", "done", lines__0__name="Tee"), "done"),
    Corruption(
        "a line removed", lambda w: w.db.orders.update_one({"_id": "done"}, {"$pop": {"lines": 1}}), "done"
    ),
    Corruption("total", _set("orders", "done", total=Int64(1499)), "done"),
    Corruption("total of an undone order", _set("orders", "undone", total=Int64(1)), "undone"),
    Corruption("currency", _set("orders", "done", currency="USD"), "done"),
    Corruption("payer", _swap_users, "done"),
    Corruption("payer who does not exist", _set("orders", "card", user_id="nobody"), "card"),
    Corruption("an order marked synthetic", _set("orders", "done", synthetic=True), "done"),
    Corruption(
        "an order marked synthetic in its books",
        _set("orders", "card", books="synthetic", synthetic=True),
        "card",
    ),
    Corruption("fingerprint", _set("orders", "done", fingerprint="0" * 64), "done"),
    Corruption("a new order's line", _set("orders", "new", lines__0__price=Int64(1)), "new"),
    Corruption("the lines that are not delivered", _set("orders", "done", undeliverable=[Int64(0)]), "done"),
    Corruption("when an order was created", _set("orders", "done", created_at=LONG_AGO), "done"),
    Corruption("when a new order was created", _later("orders", "new", "created_at"), "new"),
    Corruption("when an order was changed last", _set("orders", "card", updated_at=LONG_AGO), "card"),
    Corruption("when an order under way was changed", _later("orders", "open", "updated_at"), "open"),
    Corruption("the deadline of an order", _later("orders", "open", "deadline"), "open"),
    Corruption("the deadline of an order, removed", _unset("orders", "open", "deadline"), "open"),
    # Why it ended.
    Corruption("why an order failed", _set("orders", "undone", history__4__reason="Other"), "undone"),
    Corruption("why an order was undone", _set("orders", "undone", history__3__reason="Other"), "undone"),
    Corruption("a reason where none was", _set("orders", "card", history__2__reason="Other"), "card"),
    Corruption(
        "which execution an order failed in", _set("orders", "undone", history__4__execution="arn"), "undone"
    ),
    Corruption(
        "why an order was refused", _set("orders", "soldout", decision__error="InvalidOrder"), "soldout"
    ),
    Corruption(
        "the reason of a refused order", _set("orders", "soldout", history__1__reason="Other"), "soldout"
    ),
    Corruption("the error of a failure", _failures("undone", {"$set": {"error": "Other"}}), "undone"),
    Corruption("the failures of an order deleted", _failures("undone", None), "undone"),
    # Its state and history.
    Corruption("a completed order set back to PAID", _set("orders", "done", state="PAID"), "done"),
    Corruption("a completed order set to FAILED", _set("orders", "card", state="FAILED"), "card"),
    Corruption("a failed order set to COMPLETED", _set("orders", "undone", state="COMPLETED"), "undone"),
    Corruption("an order parked", _set("orders", "open", state="NEEDS_ATTENTION"), "open"),
    Corruption(
        "history cut at its beginning",
        lambda w: w.db.orders.update_one({"_id": "done"}, {"$pop": {"history": -1}}),
        "done",
    ),
    Corruption(
        "history cut at its end",
        lambda w: w.db.orders.update_one({"_id": "done"}, {"$pop": {"history": 1}}),
        "done",
    ),
    Corruption(
        "a gap in a history",
        lambda w: w.db.orders.update_one({"_id": "card"}, {"$pull": {"history": {"to": "RESERVED"}}}),
        "card",
    ),
    Corruption("a history that was emptied", _unchecked("orders", "done", {"$set": {"history": []}}), "done"),
    Corruption("a change of state at another time", _set("orders", "done", history__1__at=LONG_AGO), "done"),
    Corruption("how an order is paid", _set("orders", "card", paid_by="bank_account"), "card"),
    Corruption("how an order is paid, removed", _unset("orders", "card", "paid_by"), "card"),
    Corruption("how much an order was paid with", _set("orders", "done", payment="credit:1:1:EUR"), "done"),
    Corruption("with what an order was paid, removed", _unset("orders", "card", "payment"), "card"),
    # Deliveries.
    Corruption("deliveries removed", _unset("orders", "done", "deliveries"), "done"),
    Corruption(
        "one delivery removed",
        lambda w: w.db.orders.update_one({"_id": "card"}, {"$pop": {"deliveries": 1}}),
        "card",
    ),
    Corruption("product of a delivery", _set("orders", "done", deliveries__0__product_id="cup"), "done"),
    Corruption("quantity of a delivery", _set("orders", "done", deliveries__0__quantity=Int64(20)), "done"),
    Corruption(
        "address of a delivery", _set("orders", "card", deliveries__1__delivery_address="elsewhere"), "card"
    ),
    Corruption(
        "an extra delivery",
        lambda w: w.db.orders.update_one(
            {"_id": "done"}, [{"$set": {"deliveries": {"$concatArrays": ["$deliveries", "$deliveries"]}}}]
        ),
        "done",
    ),
    Corruption(
        "a delivery of a failed order",
        lambda w: w.db.orders.update_one(
            {"_id": "undone"}, {"$set": {"deliveries": (w.db.orders.find_one("done") or {})["deliveries"]}}
        ),
        "undone",
    ),
    # Stock.
    Corruption("stock", _add("products", "tea", available=1), "product:tea"),
    Corruption(
        "stock against sold", _add("products", "tea", available=1, sold=-1), "product:tea", ("settled",)
    ),
    Corruption("stock and its beginning", _add("products", "tea", available=9, opening=9), "product:tea"),
    Corruption("the beginning of a product", _unset("products", "cup", "opening"), "product:cup"),
    Corruption("a hold removed", _unset("products", "tea", "holds.open"), "open"),
    Corruption("a hold of more", _set("products", "tea", holds__open__quantity=Int64(4)), "open"),
    Corruption("a hold that is void", _set("products", "cup", holds__open__state="void"), "open"),
    Corruption(
        "a hold of a completed order removed", _unset("products", "tea", "holds.done"), "done", ENTERED
    ),
    Corruption(
        "a hold of an order that does not exist",
        _set("products", "tea", holds__ghost={"quantity": Int64(1), "state": "held"}),
        "ghost",
    ),
    Corruption("a product's currency", _set("products", "cup", currency="USD"), "product:cup"),
    Corruption("a product's name", _set("products", "cup", name="mug"), "product:cup"),
    Corruption("a product's type", _set("products", "tea", type="garden"), "product:tea"),
    Corruption("a product's price", _set("products", "tea", price=Int64(PRICE - 1)), "product:tea"),
    Corruption("a price that was changed before", _set("products", "cup", price=Int64(1)), "product:cup"),
    Corruption("what a product cost before", _unset("products", "cup", "repriced"), "product:cup"),
    Corruption("when a product was created", _set("products", "tea", created_at=LONG_AGO), "product:tea"),
    Corruption("a product's fingerprint", _set("products", "cup", fingerprint="0" * 64), "product:cup"),
    Corruption("the mark of a product's beginning", _unset("products", "cup", "opened_with"), "product:cup"),
    Corruption("a product said to be synthetic", _set("products", "cup", synthetic=True), "product:cup"),
    Corruption("a product deleted", _delete("products", "cup"), "product:cup"),
    Corruption(
        "a product marked synthetic",
        _set("products", "cup", books="synthetic", synthetic=True),
        "product:cup",
        IN_LEDGER,
    ),
    # Credit.
    Corruption("balance", _add("users", "ada", balance=1), "user:ada"),
    Corruption("balance and its beginning", _add("users", "ada", balance=5, opening=5), "user:ada"),
    Corruption(
        "credit from one user to another",
        lambda w: [_add("users", "ada", balance=-5)(w), _add("users", "poor", balance=5)(w)],
        "user:poor",
    ),
    Corruption("a charge removed", _unset("users", "ada", "operations.open"), "open"),
    Corruption("a charge of less", _set("users", "ada", operations__open__amount=Int64(1)), "open"),
    Corruption("a charge that is refunded", _set("users", "ada", operations__open__state="refunded"), "open"),
    Corruption(
        "a refund that is charged again",
        _set("users", "ada", operations__undone__state="charged"),
        "undone",
        ENTERED,
    ),
    Corruption("what was spent", _add("users", "ada", spent=-1500, balance=1500), "user:ada", SETTLED),
    Corruption("a user's currency", _set("users", "ada", currency="USD"), "user:ada"),
    Corruption(
        "the currency of a user who bought nothing",
        _set("users", "rich", currency="USD"),
        "user:rich",
        IN_LEDGER,
    ),
    Corruption("when a user was created", _set("users", "ada", created_at=LONG_AGO), "user:ada"),
    Corruption("the mark of a user's beginning", _unset("users", "ada", "opened_with"), "user:ada"),
    Corruption("a user said to be synthetic", _set("users", "ada", synthetic=True), "user:ada"),
    Corruption(
        "what a charge is for", _set("users", "ada", operations__open__fingerprint="credit:1:1:EUR"), "open"
    ),
    Corruption(
        "the copy of a settled charge", _set("orders", "done", operation__amount=Int64(1)), "done", SETTLED
    ),
    Corruption(
        "the copy of a settled refund",
        _set("orders", "undone", operation__state="charged"),
        "undone",
        SETTLED,
    ),
    Corruption("the copy of a charge removed", _unset("orders", "done", "operation"), "done", SETTLED),
    Corruption("a user deleted", _delete("users", "ada"), "user:ada"),
    Corruption("a user deleted with every leg", _delete_user_with_all, "done"),
    Corruption(
        "a user marked synthetic",
        _set("users", "ada", books="synthetic", synthetic=True),
        "user:ada",
        IN_LEDGER,
    ),
    Corruption("money printed everywhere", _print_money, "user:ada"),
    # Orders that vanish.
    Corruption("an order deleted", _delete("orders", "done"), "done"),
    Corruption("an order under way deleted", _delete("orders", "open"), "open"),
    Corruption("an order deleted with its effects", _delete_order_with_all("done", "ada"), "done", IN_LEDGER),
    Corruption("a card order deleted with its effects", _delete_order_with_all("card", "bob"), "card"),
    Corruption("a failed order deleted", _delete("orders", "undone"), "undone"),
    # Payments.
    Corruption("a payment deleted", _delete("payments", "card:1"), "card"),
    Corruption("a payment of less", _set("payments", "card:1", amount=Int64(1)), "card"),
    Corruption("a payment in another currency", _set("payments", "card:1", currency="USD"), "card"),
    Corruption("a payment by another method", _set("payments", "card:1", method="bank_account"), "card"),
    Corruption("a captured payment set to refunded", _set("payments", "card:1", state="refunded"), "card"),
    Corruption(
        "a refunded payment set to captured", _set("payments", "returned:1", state="captured"), "returned"
    ),
    Corruption(
        "a declined payment set to captured", _set("payments", "refused:1", state="captured"), "refused"
    ),
    Corruption(
        "a payment's history cut at its end",
        lambda w: w.db.payments.update_one({"_id": "card:1"}, {"$pop": {"history": 1}}),
        "card",
    ),
    Corruption(
        "a payment's history cut at its beginning",
        lambda w: w.db.payments.update_one({"_id": "returned:1"}, {"$pop": {"history": -1}}),
        "returned",
    ),
    Corruption("when a payment was made", _set("payments", "card:1", created_at=LONG_AGO), "card"),
    Corruption(
        "when a payment changed last", _set("payments", "returned:1", updated_at=LONG_AGO), "returned"
    ),
    Corruption("which execution made a payment", _set("payments", "card:1", execution="arn"), "card"),
    Corruption("why a payment was declined", _set("payments", "refused:1", reason="expired_card"), "refused"),
    Corruption("what Stripe closed", _unset("payments", "barred:1", "closed"), "barred"),
    Corruption("a captured payment said to be closed", _set("payments", "card:1", closed=True), "card"),
    Corruption("a PaymentIntent removed", _unset("payments", "card:1", "payment_intent"), "card"),
    Corruption("another PaymentIntent", _set("payments", "card:1", payment_intent="pi_other"), "card"),
    Corruption(
        "two payments with their PaymentIntents exchanged",
        lambda w: [
            _set("payments", "card:1", payment_intent="pi_carded")(w),
            _set("payments", "carded:1", payment_intent="pi_card")(w),
        ],
        "card",
    ),
    Corruption("the number of an attempt", _set("payments", "card:1", attempt=Int64(2)), "card"),
    Corruption(
        "a second captured payment",
        lambda w: w.db.payments.insert_one(
            (w.db.payments.find_one("card:1") or {})
            | {"_id": "card:2", "attempt": Int64(2), "payment_intent": "pi_x"}
        ),
        "card",
    ),
    Corruption(
        "a payment of an order that does not exist",
        lambda w: w.db.payments.insert_one(
            (w.db.payments.find_one("card:1") or {}) | {"_id": "ghost:1", "order_id": "ghost"}
        ),
        "ghost",
    ),
    Corruption(
        "an adjustment without its legs",
        _set(
            "payments",
            "card:1",
            adjustments={"du_1": {"kind": "dispute", "amount": Int64(5), "at": LONG_AGO}},
        ),
        "card",
    ),
    # Stripe.
    Corruption(
        "a second captured PaymentIntent", lambda w: w.stripe.take("pi_twice", "card", 1500), "pi_twice"
    ),
    Corruption("a PaymentIntent of no order", lambda w: w.stripe.take("pi_ghost", "ghost", 100), "pi_ghost"),
    Corruption("a refund made elsewhere", lambda w: w.stripe.change("pi_card", refunded=1), "card"),
    Corruption("a dispute", lambda w: w.stripe.change("pi_card", disputed=1500), "card"),
    Corruption(
        "a refund that failed later", lambda w: w.stripe.change("pi_returned", refunded=0), "returned"
    ),
    Corruption("a capture of less", lambda w: w.stripe.change("pi_card", received=1), "card"),
    Corruption("a capture in another currency", lambda w: w.stripe.change("pi_card", currency="USD"), "card"),
    Corruption("a PaymentIntent that Stripe does not know", lambda w: w.stripe.held.pop("pi_card"), "card"),
    Corruption(
        "a PaymentIntent canceled",
        lambda w: w.stripe.change("pi_carded", status="canceled", received=0),
        "carded",
    ),
    # The ledger.
    Corruption("amount of a leg", _add("ledger", "done:charge:balance", amount=1), "done", IN_LEDGER),
    Corruption(
        "account of a leg",
        _set("ledger", "done:charge:balance", account="user:bob:balance"),
        "done",
        IN_LEDGER,
    ),
    Corruption("time of a leg", _set("ledger", "done:charge:balance", at=LONG_AGO), "done", IN_LEDGER),
    Corruption("time of an opening", _set("ledger", "user:ada:opening:balance", at=LONG_AGO), "user:ada"),
    Corruption(
        "unit of an opening", _set("ledger", "product:tea:opening:opening", unit="cup"), "product:tea"
    ),
    Corruption(
        "unit of a restock",
        _set("ledger", "product:tea:restock.delivery-1:available", unit="cup"),
        "product:tea",
    ),
    Corruption(
        "transaction of a top-up",
        _set("ledger", "user:ada:top-up.gift-1:balance", transaction="top-up.gift-2"),
        "user:ada",
    ),
    Corruption("unit of a leg", _set("ledger", "done:charge:balance", unit="USD"), "done", IN_LEDGER),
    Corruption("a leg deleted", _delete("ledger", "done:hold.tea:held"), "done", IN_LEDGER),
    Corruption(
        "a leg of a card payment deleted", _delete("ledger", "card:capture.card:captured"), "card", IN_LEDGER
    ),
    Corruption(
        "a leg of an order twice",
        _leg("done:charge:balance2", "done", "user:ada:balance", -1500),
        "done",
        IN_LEDGER,
    ),
    Corruption(
        "a leg of no order", _leg("ghost:charge:balance", "ghost", "user:ada:balance", -1), "ghost", IN_LEDGER
    ),
    Corruption(
        "a leg in an account that nobody has",
        _leg("x:opening:opening", None, "user:ghost:balance", 1),
        "user:ghost",
        IN_LEDGER,
    ),
    Corruption(
        "an opening leg deleted", _delete("ledger", "user:ada:opening:balance"), "user:ada", IN_LEDGER
    ),
    Corruption(
        "a restock's leg deleted",
        _delete("ledger", "product:tea:restock.delivery-1:available"),
        "product:tea",
    ),
    Corruption(
        "a top-up's leg changed", _add("ledger", "user:ada:top-up.gift-1:balance", amount=100), "user:ada"
    ),
    Corruption(
        "the transactions of an order",
        lambda w: w.db.orders.update_one({"_id": "done"}, {"$pull": {"ledger": "charge"}}),
        "done",
        IN_LEDGER,
    ),
    Corruption(
        "an order's place in its books", _set("orders", "done", books="settled"), "done", ("entered",)
    ),
)
